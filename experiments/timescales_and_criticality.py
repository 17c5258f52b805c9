"""Branching, avalanches, time constants and regimes: which analyses survive few units, short trials and lookalikes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from circuits.states.branching import Branching
from circuits.states.chaotic_rates import ChaoticRates
from circuits.states.common_drive_avalanches import CommonDriveAvalanches
from circuits.states.low_rank import LowRank
from circuits.states.single_timescale import SingleTimescale
from circuits.states.slow_drive_states import SlowDriveStates
from circuits.states.two_timescales import TwoTimescales
from circuits.states.up_down import UpDown
from experiments._answered import answered
from methods.dynamics.switching_lds import SwitchingLds
from methods.states.autocorrelation_fit import AutocorrelationFit
from methods.states.avalanche_log_log import AvalancheLogLog
from methods.states.avalanche_powerlaw import AvalanchePowerlaw
from methods.states.bayesian_timescale import BayesianTimescale
from methods.states.bistability import Bistability
from methods.states.conventional_regression import ConventionalRegression
from methods.states.crackling_relation import CracklingRelation
from methods.states.lyapunov import Lyapunov
from methods.states.multistep_regression import MultistepRegression
from methods.states.subspace_timescale import SubspaceTimescale
from simlab.claims import Claim, Measured, mean, oracle_recovers, rate
from simlab.experiment import Experiment, Grid, Plan
from simlab.fingerprint import label
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.recording.subsample import Subsample

if TYPE_CHECKING:
    import pandas as pd

LARGE = Branching()
"""N = 10^4 and m = .99, as in Wilting & Priesemann 2018."""
SEEN = {n: Subsample(n_units=n) for n in (100, 10, 1)}
STEPS = Plan(100, 4.0)
"""10^5 steps of 4 ms."""

SPARSE = Branching(n_neurons=500, mean_rate=0.5)
"""Set off one at a time, on the whole: a spike from outside every four steps, so that activity pauses."""
MATCHED, RECTIFIED = CommonDriveAvalanches(SPARSE), CommonDriveAvalanches(SPARSE, drive="rectified")

ONE, TWO = SingleTimescale(), TwoTimescales()
SHORT = Plan(200, 1.0)
"""Trials of five time constants."""
DIRECT, DIRECT_WITH_OFFSET, BAYESIAN = AutocorrelationFit(), AutocorrelationFit(offset=True), BayesianTimescale()
MODES = SubspaceTimescale()

CHAOS, TAMED = ChaoticRates(), ChaoticRates(gain=0.8, noise=0.3)
STATES, DRIVEN = UpDown(), SlowDriveStates()
SOME = Subsample(n_units=40)

CONVENTIONAL, MULTISTEP = ConventionalRegression(), MultistepRegression(n_resamples=20)
LOG_LOG, POWERLAW, CRACKLING = AvalancheLogLog(), AvalanchePowerlaw(), CracklingRelation()

GRIDS = (
    Grid((LARGE,), (STEPS,), tuple(SEEN.values()), (CONVENTIONAL, MULTISTEP), baselines=False),
    Grid(
        (SPARSE,),
        (Plan(100, 10.0),),
        (Perfect(),),
        (LOG_LOG, POWERLAW, CRACKLING, CONVENTIONAL, MULTISTEP),
        rivals=(MATCHED, RECTIFIED),
    ),
    Grid((ONE,), (SHORT,), (Perfect(),), (DIRECT, DIRECT_WITH_OFFSET, BAYESIAN, MODES)),
    Grid((TWO,), (SHORT,), (Perfect(),), (DIRECT, DIRECT_WITH_OFFSET, MODES)),
    Grid((CHAOS, TAMED, LowRank()), (Plan(100, 2.0),), (SOME,), (Lyapunov(), Bistability())),
    Grid((STATES,), (Plan(50, 4.0),), (SOME,), (Bistability(), SwitchingLds()), rivals=(DRIVEN,)),
)


def ratio(table: pd.DataFrame, method: Any, n_units: int) -> Measured:
    """Mean branching ratio that a method finds in the large network from so many units."""
    where = {"circuit_label": label(LARGE), "instrument_label": label(SEEN[n_units])}
    return mean(table, "ratio", method_label=label(method), **where)


def fooled(table: pd.DataFrame, method: Any, rivals: tuple[Any, ...]) -> Measured:
    """How often what is not there is claimed in a rival: neurons without synapses under a common drive."""
    return rate(table, "false_recovery", method_label=label(method), circuit_label=tuple(map(label, rivals)))


def recognised(table: pd.DataFrame, method: Any, circuit: Any) -> Measured:
    """How often a circuit's own mechanism or regime is recovered."""
    return rate(table, "recovered", method_label=label(method), circuit_label=label(circuit))


def bias(table: pd.DataFrame, method: Any) -> Measured:
    """Mean relative error of the time constant, trials of five time constants."""
    return mean(table, "relative_error", method_label=label(method), circuit_label=label(ONE))


def ratio_of_the_rival(table: pd.DataFrame) -> Measured:
    """Mean branching ratio that multistep regression finds where no spike causes any."""
    return mean(table, "ratio", method_label=label(MULTISTEP), circuit_label=label(MATCHED))


def named(table: pd.DataFrame, method: Any, circuits: tuple[Any, ...]) -> Measured:
    """In how many recordings a method that knows one regime names it; an abstention names none."""
    return answered(table, method_label=label(method), circuit_label=tuple(map(label, circuits)))


WILTING = "Wilting & Priesemann 2018, Nat Commun 9:2325"
TOUBOUL = "Touboul & Destexhe 2010, PLoS ONE 5:e8982; 2017, Phys Rev E 95:012413"
ZERAATI = "Zeraati, Engel & Levina 2022, Nat Comput Sci 2:193"
SUBSAMPLED = tuple(
    Claim(
        f"conventional_regression_from_{n}",
        f"From {n} of 10^4 neurons of a network with the branching ratio .99, conventional regression finds "
        f"{most} or less.",
        f"{WILTING} (there {paper})",
        partial(ratio, method=CONVENTIONAL, n_units=n),
        (-0.05, most),
    )
    for n, most, paper in ((100, 0.45, ".37"), (10, 0.15, ".10"), (1, 0.05, ".02"))
)
UNHARMED = tuple(
    Claim(
        f"multistep_regression_from_{n}",
        f"From {n} of the same neurons, multistep regression finds .99, give or take .01.",
        WILTING,
        partial(ratio, method=MULTISTEP, n_units=n),
        (0.98, 1.0),
    )
    for n in (100, 10, 1)
)
CLAIMS = (
    *SUBSAMPLED,
    *UNHARMED,
    Claim(
        "a_common_drive_has_a_branching_ratio",
        "Multistep regression finds .97 or more where neurons do not excite one another and a drive has the network's "
        "memory: it measures a time constant, and not who causes what.",
        "analytic: r_k = b exp(-k T / timescale) in either",
        ratio_of_the_rival,
        (0.97, 1.0),
    ),
    Claim(
        "log_log_calls_a_common_drive_critical",
        "A straight line on logarithmic axes calls independent units under a common drive a branching process.",
        TOUBOUL,
        partial(fooled, method=LOG_LOG, rivals=(MATCHED, RECTIFIED)),
        (0.8, 1.0),
    ),
    Claim(
        "a_tested_power_law_calls_it_critical_less",
        "A power law that is tested, and compared with other laws, calls the units under a rectified drive a branching "
        "process in at most half of the recordings.",
        f"Clauset, Shalizi & Newman 2009, SIAM Rev 51:661; {TOUBOUL}",
        partial(fooled, method=POWERLAW, rivals=(RECTIFIED,)),
        (0.0, 0.5),
    ),
    Claim(
        "the_crackling_relation_calls_it_critical_less",
        "So does the relation between exponents.",
        "Friedman et al. 2012, PRL 108:208102, for the relation; Touboul & Destexhe 2017 found it without criticality",
        partial(fooled, method=CRACKLING, rivals=(RECTIFIED,)),
        (0.0, 0.5),
    ),
    Claim(
        "a_tested_power_law_recognises_the_branching_process",
        "And of the branching process itself it recognises most.",
        "Clauset, Shalizi & Newman 2009, SIAM Rev 51:661",
        partial(recognised, method=POWERLAW, circuit=SPARSE),
        (0.5, 1.0),
    ),
    Claim(
        "direct_fits_are_biased",
        "In trials of five time constants an exponential fitted to the autocorrelation is short by a tenth or more.",
        ZERAATI,
        partial(bias, method=DIRECT),
        (-1.0, -0.1),
    ),
    Claim(
        "bayesian_fits_are_not",
        "Fitting a generative model to the same autocorrelation is off by less than a tenth on average.",
        ZERAATI,
        partial(bias, method=BAYESIAN),
        (-0.1, 0.1),
    ),
    Claim(
        "modes_are_not",
        "So is the slowest mode of a linear system with the autocovariance about the mean over trials.",
        "analytic: that autocovariance is unbiased where trials are drawn alike (Ho & Kalman 1966 for the modes)",
        partial(bias, method=MODES),
        (-0.1, 0.1),
    ),
    Claim(
        "chaos_is_recognised",
        "Neighbouring states of 40 out of 200 units of a chaotic network part faster than noise and more predictably.",
        "Rosenstein, Collins & De Luca 1993, Physica D 65:117; Sompolinsky, Crisanti & Sommers 1988, PRL 61:259",
        partial(named, method=Lyapunov(), circuits=(CHAOS,)),
        (0.5, 1.0),
    ),
    Claim(
        "noise_is_not_taken_for_chaos",
        "The same network below its transition, stirred by noise, and a low-rank network are not called chaotic.",
        "Theiler et al. 1992, Physica D 58:77",
        partial(named, method=Lyapunov(), circuits=(TAMED, LowRank())),
        (0.0, 0.2),
    ),
    Claim(
        "up_and_down_states_are_recognised",
        "Two states that activity dwells in are found in a network that has them.",
        "Jercog et al. 2017, eLife 6:e22425",
        partial(named, method=Bistability(), circuits=(STATES,)),
        (0.8, 1.0),
    ),
    Claim(
        "a_slow_drive_is_not_taken_for_states",
        "Under a slow drive of one mode they are not, though correlations, Fano factors and time constant are alike.",
        "simlab's own",
        partial(named, method=Bistability(), circuits=(DRIVEN,)),
        (0.0, 0.2),
    ),
    *(
        Claim(
            f"switching_regimes_{words}",
            f"Two linear regimes that come to rest apart are {found}.",
            "Ghahramani & Hinton 2000, Neural Comput 12:831, for the model; that they rest is simlab's own",
            partial(named, method=SwitchingLds(), circuits=(circuit,)),
            band,
        )
        for words, found, circuit, band in (
            ("are_states", "found in the network that has two states", STATES, (0.8, 1.0)),
            ("are_no_slow_drive", "not found under the slow drive", DRIVEN, (0.0, 0.2)),
        )
    ),
    oracle_recovers("circuit"),
)

TIMESCALES_AND_CRITICALITY = Experiment(
    name="timescales_and_criticality",
    asks=(
        "How near to a critical point is a network of which a few neurons are seen, and how long does its activity "
        "last? Which analyses tell activity that spreads from activity that is driven, chaos from noise, and states "
        "from slow waves? And which state a time constant that is too short because the trials were?"
    ),
    grids=GRIDS,
    claims=CLAIMS,
    subjects=10,
    time_limit=300.0,
)
