"""Causal explanation as what stays invariant: regression against invariant prediction over perturbed environments."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from circuits.causal.invariant_causes import InvariantCauses
from circuits.causal.reversed_causes import ReversedCauses
from methods.intervention.invariant_causal_prediction import InvariantCausalPrediction
from methods.intervention.mediation import Mediation
from methods.intervention.regression_causes import RegressionCauses
from methods.intervention.silencing_screen import SilencingScreen
from simlab.claims import Claim, Measured, chosen, mean, paired_difference, rate
from simlab.experiment import Experiment, Grid, Plan
from simlab.fingerprint import label
from simlab.instruments.recording.perfect import Perfect

if TYPE_CHECKING:
    import pandas as pd

TRIAL = 0.1
TRIALS = (100, 500, 2000)
PLANS = {trials: Plan(trials, TRIAL) for trials in TRIALS}
USUAL = PLANS[500]
ENVIRONMENTS = (2, 3, 5, 9)
SHIFTS = (0.0, 0.2, 0.5, 1.0, 2.0)
"""In standard deviations of the units: from what nobody would notice to what nobody would miss."""
BY_NUMBER = {number: InvariantCauses(environments=number, shift=1.0) for number in ENVIRONMENTS}
BY_SHIFT = {shift: InvariantCauses(environments=5, shift=shift) for shift in SHIFTS}
WORLDS = tuple(dict.fromkeys((*BY_NUMBER.values(), *BY_SHIFT.values())))
BROKEN = InvariantCauses(environments=5, shift=1.0, behaviour_shift=2.0)
"""Environments that act on the behaviour itself, which invariant prediction assumes they do not."""

ICP, REGRESSION, MEDIATION = InvariantCausalPrediction(), RegressionCauses(), Mediation()
ONE_BY_ONE = RegressionCauses(jointly=False)
PASSIVE = (ICP, REGRESSION, ONE_BY_ONE, MEDIATION)
SCREEN = SilencingScreen(duration=TRIAL, trials_each=70)
"""As many trials in all as a passive method sees: 70 of each of six units, and as many controls."""

SWEPT = Grid(WORLDS, (USUAL,), (Perfect(),), (*PASSIVE, SCREEN), rivals=(ReversedCauses(),))
DATA = Grid((BY_NUMBER[5],), tuple(PLANS.values()), (Perfect(),), PASSIVE)
ASSUMPTION = Grid((BROKEN,), (USUAL,), (Perfect(),), PASSIVE)
FAMILY = Grid((BY_NUMBER[5],), (USUAL,), (Perfect(),), PASSIVE, rivals=(ReversedCauses(),), drawn=True)


def called(table: pd.DataFrame, method: Any, **conditions: Any) -> Measured:
    """Share of the answers in which any unit is called a cause that is none; environments that spare the behaviour."""
    rows = chosen(table, method_label=label(method), status="ok", **conditions)
    rows = rows[rows["circuit_label"] != label(BROKEN)]
    return rate(rows.assign(wrong=(rows["n_false"] > 0).astype(float)), "wrong")


def found(table: pd.DataFrame, world: InvariantCauses, metric: str = "recall") -> Measured:
    """Of invariant prediction in a world: the share of the causes that it finds, or another metric."""
    return mean(table, metric, method_label=label(ICP), circuit_label=label(world), trials=USUAL.trials)


def more(table: pd.DataFrame, many: InvariantCauses, few: InvariantCauses) -> Measured:
    """The share of the causes that invariant prediction finds in one world minus in another, same animals."""
    worlds = ({"circuit_label": label(world)} for world in (many, few))
    return paired_difference(table, "recall", *worlds, method_label=label(ICP), trials=USUAL.trials, role="circuit")


def against_regression(table: pd.DataFrame) -> Measured:
    """Exactly the causes: invariant prediction minus regression, where environments differ much."""
    methods = ({"method_label": label(method)} for method in (ICP, REGRESSION))
    return paired_difference(table, "exact", *methods, circuit_label=label(BY_SHIFT[2.0]), role="circuit")


def with_data(table: pd.DataFrame) -> Measured:
    """Units falsely called causes by regression, 2000 trials minus 100."""
    plans = ({"trials": trials} for trials in (TRIALS[-1], TRIALS[0]))
    world: dict[str, Any] = {"circuit_label": label(BY_NUMBER[5]), "role": "circuit"}
    return paired_difference(table, "n_false", *plans, method_label=label(REGRESSION), **world)


def screened(table: pd.DataFrame) -> Measured:
    """How often silencing one unit at a time names exactly the causes, in all worlds."""
    return mean(table, "exact", method_label=label(SCREEN), role=("circuit", "rival"))


def refused(table: pd.DataFrame) -> Measured:
    """How often invariant prediction abstains where environments act on the behaviour."""
    return rate(table, "abstained", method_label=label(ICP), circuit_label=label(BROKEN))


PETERS = "Peters, Buehlmann & Meinshausen 2016, J R Stat Soc B 78:947"
PEARL = "analytic: effects belong to the Markov blanket (Pearl 2009, Causality)"
CLAIMS = (
    Claim(
        "invariant_prediction_keeps_its_rate",
        "However many environments there are and however much they differ, on circuits and rivals together, invariant "
        "prediction calls a unit a cause that is none in at most 5% of its answers.",
        f"{PETERS}, theorem 1",
        partial(called, method=ICP),
        (0.0, 0.05),
    ),
    Claim(
        "regression_calls_effects_causes",
        "Regression on all units calls a unit a cause that is none in most recordings.",
        PEARL,
        partial(called, method=REGRESSION, role="circuit"),
        (0.5, 1.0),
    ),
    Claim(
        "regression_calls_effects_causes_in_the_rival",
        "And where the arrows are turned round, so that others are the causes.",
        PEARL,
        partial(called, method=REGRESSION, role="rival"),
        (0.5, 1.0),
    ),
    Claim(
        "mediation_calls_effects_mediators",
        "Where environments shift units by two standard deviations, mediation calls a unit a mediator that is none in "
        "most recordings.",
        "Bullock, Green & Ha 2010, J Pers Soc Psychol 98:550",
        partial(called, method=MEDIATION, circuit_label=label(BY_SHIFT[2.0])),
        (0.5, 1.0),
    ),
    Claim(
        "more_data_do_not_cure_regression",
        "Regression calls no fewer units falsely causes with 2000 trials than with 100.",
        PEARL,
        with_data,
        (0.0, 6.0),
    ),
    Claim(
        "alike_environments_tell_nothing",
        "Where environments do not differ, invariant prediction finds at most a fifth of the causes.",
        f"analytic: every set is invariant then ({PETERS})",
        partial(found, world=BY_SHIFT[0.0]),
        (0.0, 0.2),
    ),
    Claim(
        "more_environments_find_more",
        "With nine environments invariant prediction finds more of the causes than with two, the same trials in all.",
        f"{PETERS}: what they prove of the answer can only grow with environments",
        partial(more, many=BY_NUMBER[9], few=BY_NUMBER[2]),
        (0.05, 1.0),
    ),
    Claim(
        "stronger_shifts_find_more",
        "With shifts of two standard deviations it finds more of them than with a fifth of one.",
        f"{PETERS}: a set is rejected where environments differ enough",
        partial(more, many=BY_SHIFT[2.0], few=BY_SHIFT[0.2]),
        (0.05, 1.0),
    ),
    Claim(
        "strong_shifts_find_most",
        "With five environments and shifts of two standard deviations it finds four fifths of the causes or more.",
        f"{PETERS}: with interventions on all units the causes are identified",
        partial(found, world=BY_SHIFT[2.0]),
        (0.8, 1.0),
    ),
    Claim(
        "invariance_beats_regression_where_environments_differ",
        "There it names exactly the causes more often than regression does, in the same recordings.",
        PETERS,
        against_regression,
        (0.3, 1.0),
    ),
    Claim(
        "acting_on_the_behaviour_is_noticed",
        "Where environments act on the behaviour itself, which the method assumes they do not, it abstains as a rule.",
        f"{PETERS}: no set is accepted where the model is wrong",
        refused,
        (0.5, 1.0),
    ),
    Claim(
        "silencing_tells_causes_from_correlates",
        "Silencing one unit at a time, with as many trials in all, names exactly the causes in most animals, whatever "
        "environments do.",
        "by the definition of the truth: no cause has a substitute here",
        screened,
        (0.7, 1.0),
    ),
)

INVARIANCE = Experiment(
    name="invariance",
    asks=(
        "Which of the units that go with a behaviour cause it? Regression, mediation, invariant causal prediction on "
        "the same recordings, over the number of environments and how much they differ, and silencing for comparison; "
        "in a rival the same correlations come about with the arrows turned round."
    ),
    grids=(SWEPT, DATA, ASSUMPTION, FAMILY),
    claims=CLAIMS,
    subjects=20,
    time_limit=300.0,
)
