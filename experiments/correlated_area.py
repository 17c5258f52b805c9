"""An area that knows of the choice and has no part in it: spiking areas, silenced as wholes, at three budgets."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from circuits.causal.decision_follower import DecisionFollower
from circuits.causal.decision_pools import DecisionPools
from methods.intervention.shapley_exact import ShapleyExact
from methods.intervention.silencing_screen import SilencingScreen
from methods.roles.outcome_correlation import OutcomeCorrelation
from methods.roles.stimulus_tuning import StimulusTuning
from simlab.claims import Claim, Measured, mean, oracle_recovers
from simlab.experiment import Experiment, Grid, Plan
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.stimulating.ideal import Ideal

if TYPE_CHECKING:
    import pandas as pd

TASK = 1.0
"""s, of a trial: the length that the truth is about."""

PLANS = (Plan(140, TASK), Plan(420, TASK), Plan(1400, TASK))
"""Of each of six areas and of controls 20, 60 or 200 trials; of the 64 sets of areas 2, 6 or 21."""

POOLS = DecisionPools(truth_trials=48)
"""Of each set of areas, from which the truth is estimated: units that its standard error leaves open do not count."""

DECISIONS = Grid(
    circuits=(POOLS,),
    rivals=(DecisionFollower(),),
    plans=PLANS,
    instruments=(Perfect(),),
    methods=(
        SilencingScreen(duration=TASK, trials_each=200, whole_areas=True),
        ShapleyExact(duration=TASK, whole_areas=True),
        OutcomeCorrelation(),
        StimulusTuning(),
    ),
    stimulators=(Ideal(),),
)


def average(column: str, method: str, circuit: str) -> Callable[[pd.DataFrame], Measured]:
    """A measure: the mean of a metric at the largest budget."""

    def measure(table: pd.DataFrame) -> Measured:
        return mean(table, column, method=method, circuit=circuit, trials=PLANS[-1].trials)

    return measure


KATZ = "Katz et al. 2016, Nature 535:285"
CLAIMS = (
    Claim(
        "a_correlated_area_is_taken_for_a_cause",
        "Neurons whose activity follows the evidence are called needed; a third or more of them are of areas to which "
        "nobody listens.",
        f"{KATZ}: LIP carries choice signals as strong as those of MT",
        average("false_share", "stimulus_tuning", "decision_follower"), (0.3, 1.0),
    ),
    Claim(
        "its_inactivation_has_no_effect",
        "Silenced as a whole, such an area costs nothing: a tenth at most of the neurons called needed are of none.",
        f"{KATZ}: inactivation of LIP had no effect on decisions, that of MT had",
        average("false_share", "silencing_screen", "decision_follower"), (0.0, 0.1),
    ),
    Claim(
        "no_effect_does_not_mean_no_part",
        "Where two areas see the evidence and either does most of the work, all sets of silenced areas find more of "
        "the neurons that matter than areas silenced one at a time.",
        "Keinan et al. 2004, Neural Comput 16:1887",
        average("recall", "shapley_exact", "decision_pools"), (0.9, 1.0),
    ),
    oracle_recovers("circuit"),
)  # fmt: skip

CORRELATED_AREA = Experiment(
    name="correlated_area",
    asks=(
        "Six areas of spiking neurons decide between left and right. One, or two, are correlated with the choice and "
        "drive nothing. What do correlation, tuning, inactivation of areas one at a time and inactivation of all sets "
        "of areas say of them?"
    ),
    grids=(DECISIONS,),
    claims=CLAIMS,
    subjects=10,
    time_limit=300.0,
)
