"""Who does what: areas named and unseen lesions predicted, at three budgets, by all methods that answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from circuits.causal.both_pathways import BothPathways
from circuits.causal.bypassed_gate import BypassedGate
from circuits.causal.driver_area import DriverArea
from circuits.causal.elsewhere import Elsewhere
from circuits.causal.gated import Gated
from circuits.causal.logic_tree import LogicTree
from circuits.causal.lookup_machine import LookupMachine
from circuits.causal.microprocessor import Microprocessor
from circuits.causal.redundant import Redundant
from circuits.causal.single_path import SinglePath
from circuits.causal.task_areas import TaskAreas
from circuits.causal.two_pathways import TwoPathways
from circuits.causal.ungated import Ungated
from methods.intervention.additive_losses import AdditiveLosses
from methods.intervention.lesion_localisation import LesionLocalisation
from methods.intervention.logic_regression import LogicRegression
from methods.intervention.pairwise_losses import PairwiseLosses
from methods.intervention.passive_regression import PassiveRegression
from methods.roles.tuning_localisation import TuningLocalisation
from simlab.claims import Claim, Measured, mean, oracle_recovers, paired_difference, rate
from simlab.experiment import Experiment, Grid, Plan
from simlab.fingerprint import label
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.stimulating.ideal import Ideal

if TYPE_CHECKING:
    import pandas as pd

EACH, WORDS = 0.3, 0.4
"""Of a trial [s]: a dozen stages of areas settle within; a machine shows five words or more."""

AREAS = TaskAreas()
MACHINES = (Microprocessor(word_width=2, memory_words=4), LookupMachine(word_width=2))
MORE = AREAS.capable - AREAS.watched
LESIONS = {seconds: LesionLocalisation(duration=seconds) for seconds in (EACH, WORDS)}
WIDER = {seconds: replace(method, more_behaviours=MORE) for seconds, method in LESIONS.items()}
IN_AREAS = (Plan(400, EACH), Plan(1500, EACH), Plan(6000, EACH))
IN_MACHINES = (Plan(150, WORDS), Plan(600, WORDS), Plan(1500, WORDS))
PREDICTING = (Plan(200, EACH), Plan(800, EACH), Plan(3000, EACH))
"""The smallest budgets buy three trials of each lesion, or a few of each unit; the largest, all that is asked for."""


def naming(circuits: tuple[Any, ...], plans: tuple[Plan, ...], *methods: Any, baselines: bool = True) -> Grid:
    """A grid of methods that name areas."""
    return Grid(circuits, plans, (Perfect(),), methods, stimulators=(Ideal(),), baselines=baselines)


NAMED = (
    naming((AREAS,), IN_AREAS, LESIONS[EACH], WIDER[EACH], TuningLocalisation()),
    naming(MACHINES, IN_MACHINES, LESIONS[WORDS], TuningLocalisation()),
    naming(MACHINES[:1], IN_MACHINES, WIDER[WORDS], baselines=False),  # the other one can do nothing else
)
PREDICTED = Grid(
    circuits=(Redundant(), Gated(), LogicTree(), TwoPathways(), Elsewhere()),
    rivals=(SinglePath(), Ungated(), BypassedGate(), BothPathways(), DriverArea()),
    plans=PREDICTING,
    instruments=(Perfect(),),
    methods=(
        AdditiveLosses(duration=EACH),
        PairwiseLosses(duration=EACH),
        PairwiseLosses(rule="expansion", duration=EACH),
        LogicRegression(duration=EACH),
        PassiveRegression(),
    ),
    stimulators=(Ideal(),),
    drawn=True,
)


def named(column: str, method: Any, circuit: str, plans: tuple[Plan, ...]) -> Callable[[pd.DataFrame], Measured]:
    """A measure: the mean of a metric of the names of areas, at the largest budget."""

    def measure(table: pd.DataFrame) -> Measured:
        return mean(table, column, circuit=circuit, method_label=label(method), trials=plans[-1].trials)

    return measure


def tuning_finds_functions(table: pd.DataFrame) -> Measured:
    """How often tuning names nine tenths of the modules rightly, all functions counting alike; largest budget."""
    at: dict[str, Any] = {"circuit": "microprocessor", "trials": IN_MACHINES[-1].trials}
    return rate(table, "recovered", method="tuning_localisation", **at)


def more_behaviours_help(table: pd.DataFrame) -> Measured:
    """How much accuracy over areas grows, at the largest budget, with the behaviours that nobody had watched."""
    wide, narrow = ({"method_label": label(methods[EACH])} for methods in (WIDER, LESIONS))
    at = {"circuit": "task_areas", "trials": IN_AREAS[-1].trials}
    return paired_difference(table, "region_accuracy", wide, narrow, **at)


def predicted(column: str, method: str, circuit: str | tuple[str, ...]) -> Callable[[pd.DataFrame], Measured]:
    """A measure: how often answers to `intervention_response` have a property, at the largest budget."""

    def measure(table: pd.DataFrame) -> Measured:
        at: dict[str, Any] = {"circuit": circuit, "method": method, "trials": PREDICTING[-1].trials}
        return rate(table, column, question="intervention_response", **at)

    return measure


def with_something_to_predict(table: pd.DataFrame) -> pd.DataFrame:
    """All but what is made elsewhere."""
    return table[table["circuit"] != "elsewhere"]


JONAS = "Jonas & Kording 2017, PLoS Comput Biol 13:e1005268"
CLAIMS = (
    Claim(
        "trials_do_not_make_up_for_behaviours",
        "Where three of twelve behaviours were watched, lesions name most areas wrongly at the largest budget too.",
        f"{JONAS}, who argue it; here by the truth of what nobody watched",
        named("region_accuracy", LESIONS[EACH], "task_areas", IN_AREAS), (0.0, 0.6),
    ),
    Claim(
        "more_behaviours_help",
        "The same number of lesions, tried in all twelve, names three tenths more of the areas rightly.",
        "simlab: what the truth of `generic` means",
        more_behaviours_help, (0.3, 1.0),
    ),
    Claim(
        "lesions_are_right_where_areas_are_specific",
        "Lesions name the areas of a machine rightly whose behaviours share nothing but ports.",
        "positive control, by construction of the lookup machine",
        named("region_accuracy", LESIONS[WORDS], "lookup_machine", IN_MACHINES), (0.9, 1.0),
    ),
    Claim(
        "tuning_names_what_varies",
        "Tuning gives the modules of a processor wrong functions.",
        f"{JONAS}: tuning curves of transistors look meaningful and are not",
        tuning_finds_functions, (0.0, 0.2),
    ),
    # Fails at 20 animals (.50 [.29, .71]): areas lapse, so that each alone costs something, and most held-out sets take
    # all of those that stand in for one another, or none. Even the true single losses explain .62 of the variance.
    Claim(
        "single_losses_do_not_add_up",
        "Losses of single areas, added up, do not predict lesions of several where areas stand in for one another.",
        "Keinan et al. 2004, Neural Comput 16:1887",
        predicted("recovered", "additive_losses", "redundant"), (0.0, 0.2),
    ),
    # Fails at 20 animals (.64 [.49, .77]): redundant .78, logic trees .60, gated .25, where outcomes hardly vary and
    # recovery is by `skill` as soon as they do not vary at all.
    Claim(
        "random_sets_predict_others",
        "Outcomes of random sets, and the logic fitted to them, predict those that were not tried.",
        "Keinan et al. 2004, Neural Comput 16:1887; Ruczinski et al. 2003, J Comput Graph Stat 12:475",
        predicted("recovered", "logic_regression", ("redundant", "gated", "logic_tree")), (0.8, 1.0),
    ),
    Claim(
        "watching_does_not_predict_lesions",
        "A regression of the outcome on activity does not predict lesions.",
        "Pearl 2009, Causality: seeing is not doing; Katz et al. 2016, Nature 535:285",
        predicted("recovered", "passive_regression", ("redundant", "gated", "logic_tree", "two_pathways")), (0.0, 0.2),
    ),
    # Fails at 20 animals (0 [0, .16]): areas lapse in so few trials that the regression claims no change of a tenth.
    Claim(
        "watching_predicts_losses_of_what_does_nothing",
        "Where the behaviour is made elsewhere, that regression predicts losses; there are none.",
        "simlab: the areas lapse together with the body",
        predicted("any_claim", "passive_regression", "elsewhere"), (0.8, 1.0),
    ),
    oracle_recovers("circuit", among=with_something_to_predict),
)  # fmt: skip

WHO_DOES_WHAT = Experiment(
    name="who_does_what",
    asks=(
        "Which area serves which behaviour, and what would happen to the behaviour if several areas were silenced that "
        "nobody has silenced together? All methods that answer, those that intervene and those that watch, at three "
        "budgets."
    ),
    grids=(*NAMED, PREDICTED),
    claims=CLAIMS,
    subjects=20,
    time_limit=120.0,
)
