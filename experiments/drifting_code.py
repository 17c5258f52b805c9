"""Does the code drift, or do rates and units? Fields that walk from day to day, and stable ones that come and go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from circuits.coding.action_value import ActionValue
from circuits.coding.coded_target import CodedTarget
from circuits.coding.walking_rates import WalkingRates
from circuits.space.drifting_gain import DriftingGain
from circuits.space.drifting_tuning import DriftingTuning
from methods.coding.permuted_trials import PermutedTrials
from methods.coding.pseudosession import Pseudosession
from methods.coding.session_permutation import SessionPermutation
from methods.tuning.across_sessions import AcrossSessions
from methods.tuning.spatial_information import SpatialInformation
from simlab.claims import Claim, Measured, mean, oracle_recovers, rate
from simlab.experiment import Experiment, Grid, Plan
from simlab.fingerprint import label
from simlab.instruments.recording.losing_units import LosingUnits
from simlab.instruments.recording.perfect import Perfect

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

DAY, WEEK = Plan(1, 300.0), Plan(8, 300.0)
LOSING = LosingUnits(half_life=4.0)
"""Half of the units are lost in four days."""

VECTORS, MAPS = AcrossSessions(measure="population_vector"), AcrossSessions()
CODE = DriftingTuning()
STEADY, GAINS = DriftingGain(spread=0.0), DriftingGain()

DAYS = Grid(
    circuits=(CODE,),
    rivals=(STEADY, GAINS),
    plans=(WEEK,),
    instruments=(Perfect(), LOSING),
    methods=(VECTORS, MAPS),
)
SINGLE = Grid(circuits=(CODE,), plans=(DAY, WEEK), instruments=(Perfect(),), methods=(SpatialInformation(),))

SESSIONS = Plan(1044, 1.0)
"""Six sessions of 174 trials, as many as four blocks take (Elber-Dorozko & Loewenstein 2018)."""

VALUES = Grid(
    circuits=(ActionValue(modulation=10.0, baseline=8.0),),
    rivals=(WalkingRates(),),
    plans=(SESSIONS,),
    instruments=(Perfect(),),
    methods=(SessionPermutation(), PermutedTrials(), Pseudosession()),
)
TARGET = Grid(
    circuits=(CodedTarget(),), rivals=(WalkingRates(),), plans=(SESSIONS,), instruments=(Perfect(),),
    methods=(SessionPermutation(), PermutedTrials(), Pseudosession()),
)  # fmt: skip


def verdicts(method: Any, circuit: Any, instrument: Any, column: str) -> Callable[[pd.DataFrame], Measured]:
    """A measure: how often the verdict on a code is right, or falsely that it drifts."""

    def measure(table: pd.DataFrame) -> Measured:
        at: dict[str, Any] = {"circuit_label": label(circuit), "instrument_label": label(instrument)}
        return rate(table, column, method_label=label(method), **at)

    return measure


def called(method: str, circuit: Any, column: str = "called", trials: int = SESSIONS.trials) -> Callable[..., Measured]:
    """A measure: the mean of a metric of tuning over populations of one circuit."""

    def measure(table: pd.DataFrame) -> Measured:
        return mean(table, column, method=method, circuit_label=label(circuit), trials=trials)

    return measure


DRISCOLL = "Driscoll et al. 2017, Cell 170:986"
HARRIS = "Harris 2020, bioRxiv 2020.11.29.402719"
CLAIMS = (
    Claim(
        "every_day_finds_the_cells_tuned",
        "In the session of one day, more than nine of ten cells with a code that drifts are found tuned to the place.",
        f"{DRISCOLL}: on any day the population is as informative as on any other",
        called("spatial_information", CODE, "recall", DAY.trials), (0.9, 1.0),
    ),
    Claim(
        "vectors_tell_a_code_that_drifts",
        "Population vectors say drift in nine of ten populations whose fields walk.",
        DRISCOLL,
        verdicts(VECTORS, CODE, Perfect(), "recovered"), (0.9, 1.0),
    ),
    Claim(
        "vectors_take_gains_for_it",
        "They say so, too, in nine of ten whose fields stay and whose peaks change.",
        "analytic: a vector of rates turns with the gains of its cells; Rubin et al. 2015, eLife 4:e12247, of rates "
        "and fields that change on different time scales (from memory)",
        verdicts(VECTORS, GAINS, Perfect(), "false_recovery"), (0.9, 1.0),
    ),
    Claim(
        "vectors_take_the_loss_of_units_for_it",
        "And in nine of ten of populations that never change, if the instrument loses half of its units in four days.",
        "analytic: a lost unit's rate is zero; Liberti et al. 2022, Nature 604:98, of a stable code once cells are "
        "followed well (from memory)",
        verdicts(VECTORS, STEADY, LOSING, "false_recovery"), (0.9, 1.0),
    ),
    Claim(
        "maps_of_single_cells_tell_a_code_that_drifts",
        "Maps of cells that are seen on both days say drift in nine of ten populations whose fields walk.",
        DRISCOLL,
        verdicts(MAPS, CODE, Perfect(), "recovered"), (0.9, 1.0),
    ),
    Claim(
        "and_are_not_fooled_by_gains",
        "They say so in one of ten at most of those whose peaks change.",
        "analytic: a correlation over places does not know the gain",
        verdicts(MAPS, GAINS, Perfect(), "false_recovery"), (0.0, 0.1),
    ),
    Claim(
        "nor_by_the_loss_of_units",
        "Nor where units are lost.",
        "analytic: a unit that is lost is not compared",
        verdicts(MAPS, STEADY, LOSING, "false_recovery"), (0.0, 0.1),
    ),
    Claim(
        "permuted_sessions_hold_their_level",
        "Permuted sessions call no more than one in ten of the neurons whose rates walk beside a target tuned to it.",
        f"{HARRIS}: valid whatever the law of either series",
        called("session_permutation", WalkingRates(like=CodedTarget())), (0.0, 0.1),
    ),
    Claim(
        "where_permuted_trials_do_not",
        "Of these, permuted trials call more than six of ten.",
        HARRIS,
        called("permuted_trials", WalkingRates(like=CodedTarget())), (0.6, 1.0),
    ),
    Claim(
        "and_find_what_is_there",
        "They find nine of ten of the neurons that follow the target.",
        "positive control",
        called("session_permutation", CodedTarget(), "recall"), (0.9, 1.0),
    ),
    oracle_recovers("circuit"),
)  # fmt: skip

DRIFTING_CODE = Experiment(
    name="drifting_code",
    asks=(
        "Rates of recorded cells change from day to day. Has the code drifted, or have gains, or was it the "
        "instrument? And do sessions of other days make a null that holds where rates drift within one?"
    ),
    grids=(DAYS, SINGLE, VALUES, TARGET),
    claims=CLAIMS,
    subjects=20,
)
