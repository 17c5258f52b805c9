"""Does this neuron code that variable? Six tests, on neurons that do and on neurons whose rates merely drift."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from circuits.coding.action_value import ActionValue
from circuits.coding.coded_target import CodedTarget
from circuits.coding.steady_rates import SteadyRates
from circuits.coding.walking_rates import WalkingRates
from methods.coding.circular_shift import CircularShift
from methods.coding.linear_shift import LinearShift
from methods.coding.permuted_trials import PermutedTrials
from methods.coding.phase_randomised import PhaseRandomised
from methods.coding.pseudosession import Pseudosession
from methods.coding.value_regression import ValueRegression
from simlab.claims import Claim, Measured, difference, mean, oracle_recovers
from simlab.experiment import Experiment, Grid, Plan
from simlab.fingerprint import label
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.recording.subsample import Subsample

if TYPE_CHECKING:
    import pandas as pd

TESTS = (
    ValueRegression(), PermutedTrials(), CircularShift(), LinearShift(), PhaseRandomised(), Pseudosession(),
)  # fmt: skip
SESSION, LONG, WALK = Plan(174, 1.0), Plan(700, 1.0), Plan(1000, 1.0)
"""Four blocks as an animal plays them (Elber-Dorozko & Loewenstein 2018: 174 trials on average), four times as many,
and the length of Harris' simulated series."""

VALUES = Grid(
    circuits=(ActionValue(), ActionValue(modulation=10.0, baseline=8.0)),
    rivals=(WalkingRates(), SteadyRates()),
    plans=(SESSION, LONG),
    instruments=(Perfect(), Subsample(n_units=20)),
    methods=TESTS,
)
TARGET = Grid(
    circuits=(CodedTarget(),), rivals=(WalkingRates(),), plans=(WALK,), instruments=(Perfect(),), methods=TESTS
)


GENUINE, WALKING, WHITE = label(ActionValue()), label(WalkingRates()), label(SteadyRates())
FOLLOWING, DEAF = label(CodedTarget()), label(WalkingRates(like=CodedTarget()))


def called(test: Any, circuit: str, plan: Plan = SESSION) -> Callable[[pd.DataFrame], Measured]:
    """A measure: the mean share of units that a test calls tuned, in perfect recordings of one circuit."""

    def measure(table: pd.DataFrame) -> Measured:
        at: dict[str, Any] = {"circuit_label": circuit, "trials": plan.trials, "instrument": "perfect"}
        return mean(table, "called", method=test.name, **at)

    return measure


def genuine_less_walking(table: pd.DataFrame) -> Measured:
    """The share of neurons called values where all code one, less that where none does and rates walk."""
    return difference(*(called(ValueRegression(), circuit)(table) for circuit in (GENUINE, WALKING)))


ELBER = "Elber-Dorozko & Loewenstein 2018, eLife 7:e34248"
HARRIS = "Harris 2020, bioRxiv 2020.11.29.402719"
CLAIMS = (
    Claim(
        "random_walks_are_called_values",
        "Neurons whose rates walk at random are called action-value neurons by regression about as often as 42 in 100.",
        f"{ELBER}: 42%",
        called(ValueRegression(), WALKING), (0.37, 0.47),
    ),
    Claim(
        "white_noise_is_called_a_value_as_often_as_two_tests_err",
        "Of neurons without memory, regression calls about a tenth action-value neurons, as two tests at .05 must.",
        f"{ELBER}; analytic: 2 x .05 x .95",
        called(ValueRegression(), WHITE), (0.05, 0.12),
    ),
    Claim(
        "genuine_neurons_are_called_so_hardly_more_often",
        "Genuine action-value neurons are called so within eight points of as often as random walks are.",
        ELBER,
        genuine_less_walking, (-0.08, 0.08),
    ),
    Claim(
        "more_trials_make_it_worse",
        "In four times as many trials, no fewer of the random walks are called values.",
        f"{ELBER}: the error is not one of too few trials",
        called(ValueRegression(), WALKING, LONG), (0.37, 1.0),
    ),
    Claim(
        "permutations_err_on_drift",
        "Nearly all neurons with drifting rates are significant by permuted trials, for a slow variable that they do "
        "not code.",
        f"{HARRIS}: up to 100%; simlab's own simulation of random walks: 89%",
        called(PermutedTrials(), DEAF, WALK), (0.83, 0.95),
    ),
    Claim(
        "circular_shifts_err_on_drift",
        "Circular shifts call about a quarter of them significant.",
        f"{HARRIS}; simlab's own simulation of random walks: 23%",
        called(CircularShift(), DEAF, WALK), (0.17, 0.29),
    ),
    Claim(
        "pseudosessions_hold_their_level_on_drift",
        "Pseudosessions call as many significant as the level of .05 says.",
        f"{HARRIS}; simlab's own simulation of random walks: 5%",
        called(Pseudosession(), DEAF, WALK), (0.02, 0.08),
    ),
    Claim(
        "linear_shifts_hold_their_level_on_drift",
        "Linear shifts call no more than the level of .05 says.",
        f"{HARRIS}: conservative where one series is stationary; here neither is",
        called(LinearShift(), DEAF, WALK), (0.0, 0.08),
    ),
    Claim(
        "pseudosessions_find_what_is_there",
        "Pseudosessions find nine of ten neurons that do follow the target, in the same number of trials.",
        "positive control",
        called(Pseudosession(), FOLLOWING, WALK), (0.9, 1.0),
    ),
    oracle_recovers("circuit"),
)  # fmt: skip

DRIFT_AND_NULLS = Experiment(
    name="drift_and_nulls",
    asks=(
        "Rates of neurons drift, and so do the values and targets that they are said to code. Which tests of tuning "
        "tell a neuron that codes a slow variable from one that wanders on its own?"
    ),
    grids=(VALUES, TARGET),
    claims=CLAIMS,
    subjects=20,
)
