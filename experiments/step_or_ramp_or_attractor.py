"""Steps, ramps or an attractor? Decisions with one trial average, by models, variances, shapes and pushes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from circuits.decision.decision_attractor import DecisionAttractor
from circuits.decision.ramping_decision import RampingDecision
from circuits.decision.stepping_decision import SteppingDecision
from methods.dynamics.bimodality import Bimodality
from methods.dynamics.hidden_markov import HiddenMarkov
from methods.dynamics.pulse_fate import PulseFate
from methods.dynamics.pulse_regime import PulseRegime
from methods.dynamics.step_or_ramp import StepOrRamp
from methods.dynamics.varce_corce import VarceCorce
from simlab.claims import Claim, Measured, difference, mean, oracle_recovers, with_answers
from simlab.experiment import Experiment, Grid, Plan
from simlab.fingerprint import label
from simlab.instruments.recording.subsample import Subsample
from simlab.statistics.measured import share

if TYPE_CHECKING:
    import pandas as pd

ATTRACTOR, RAMPS, STEPS = DecisionAttractor(), RampingDecision(), SteppingDecision()
DRIFTING = RampingDecision(baseline_drift=0.4)
COMPARED = StepOrRamp(n_folds=2)
NO_BASELINE = StepOrRamp(n_folds=2, ramp="no baseline", most_units=16)
FOLLOWED = StepOrRamp(n_folds=2, follow_drift=True)
HUNDRED = Plan(100, 1.0)

MECHANISMS = Grid(
    circuits=(ATTRACTOR, RAMPS),
    rivals=(STEPS,),
    plans=(HUNDRED,),
    instruments=(Subsample(n_units=10), Subsample(n_units=40)),
    methods=(
        COMPARED, VarceCorce(), HiddenMarkov(n_folds=2), Bimodality(), PulseFate(steps=COMPARED), PulseRegime(),
    ),
)  # fmt: skip
FORMS = Grid(  # what the ramp model knows of rates, and what it is told of drift
    circuits=(RAMPS, DRIFTING),
    rivals=(STEPS,),
    plans=(HUNDRED,),
    instruments=(Subsample(n_units=10),),
    methods=(COMPARED, NO_BASELINE, FOLLOWED),
    baselines=False,
)
ONE_CELL = Grid(
    circuits=(RAMPS,),
    rivals=(STEPS,),
    plans=(HUNDRED,),
    instruments=(Subsample(n_units=1),),
    methods=(COMPARED,),
    baselines=False,
)

PLAIN = ("ramping_decision", "stepping_decision")
WITH_DRIFT = (label(DRIFTING), label(STEPS.imitating(DRIFTING)))


def seen(units: int) -> dict[str, Any]:
    """The rows of a recording of so many units."""
    return {"instrument_label": f"subsample(n_units={units})"}


def of(method: Any) -> dict[str, Any]:
    """The rows of a method with these parameters."""
    return {"method": method.name, "method_label": label(method)}


def right(method: Any, units: int) -> Callable[[pd.DataFrame], Measured]:
    """How often this method names ramps and steps rightly, over both circuits."""

    def measure(table: pd.DataFrame) -> Measured:
        return mean(table, "correct", circuit_label=PLAIN, **of(method), **seen(units))

    return measure


def called(
    table: pd.DataFrame, answer: Any, method: Any, circuit: str, what: str, units: int = 40, **more: Any
) -> Measured:
    """How often a method's answers on a circuit are this label, over subjects."""
    rows = with_answers(
        table, answer, "is_so", lambda estimate, _: float(str(estimate["label"]) == what),
        circuit_label=circuit, **of(method), **seen(units), **more,
    )  # fmt: skip
    return share(rows["is_so"], rows["subject"])


def steps_pass_for_diffusion(table: pd.DataFrame, answer: Any) -> Measured:
    """Ramps called ramping by VarCE and CorCE, less steps called so."""
    ramps, steps = (called(table, answer, VarceCorce(), circuit, "ramping") for circuit in PLAIN)
    return difference(ramps, steps)


def two_heaps_at_a_bound(table: pd.DataFrame, answer: Any) -> Measured:
    """How often the late activity of ramps is bimodal, and taken for an attractor's."""
    return called(table, answer, Bimodality(), "ramping_decision", "attractor decision")


def ramps_without_a_baseline(table: pd.DataFrame, answer: Any) -> Measured:
    """How often ramps are called steps where the ramp model's rates must fall to zero."""
    return called(table, answer, NO_BASELINE, "ramping_decision", "stepping", units=10)


def drift(method: Any) -> Callable[[pd.DataFrame], Measured]:
    """How often this method is right where baselines drift, over ramps and steps alike, ten units.

    Over both: a method that under drift calls everything ramping would never be seen to err on ramps alone.
    """

    def measure(table: pd.DataFrame) -> Measured:
        return mean(table, "correct", circuit_label=WITH_DRIFT, **of(method), **seen(10))

    return measure


def third_mechanism(table: pd.DataFrame) -> Measured:
    """How often the comparison of two models is right on an attractor, which is neither."""
    return mean(table, "correct", circuit_label="decision_attractor", **of(COMPARED), **seen(40))


def pushed(table: pd.DataFrame) -> Measured:
    """How often a push tells which of the three it is, 40 units."""
    return mean(table, "correct", method="pulse_fate", **seen(40))


def regime(table: pd.DataFrame) -> Measured:
    """How often a push tells bistable from driven, 40 units."""
    return mean(table, "correct", method="pulse_regime", **seen(40))


LATIMER = "Latimer et al. 2015, Science 349:184"
ZYLBERBERG = "Zylberberg & Shadlen 2016, bioRxiv 085886; Zoltowski et al. 2019, Neuron 102:1249"

CLAIMS = (
    Claim(
        "models_of_single_trials_tell_steps_from_ramps",
        "With 40 units that share one latent, the model comparison names ramps and steps of one trial average rightly.",
        f"{LATIMER}, for the comparison; band: simlab's",
        right(COMPARED, 40),
        (0.9, 1.0),
    ),
    Claim(
        "one_cell_does_not",
        "With one unit and 100 trials it is right in fewer than nine of ten: verdicts on single neurons, on which the "
        "debate was led, are often wrong.",
        f"{LATIMER} (three quarters of 40 neurons were called stepping); band: simlab's, for 100 trials",
        right(COMPARED, 1),
        (0.0, 0.9),
    ),
    Claim(
        "a_ramp_without_a_baseline_loses",
        "A ramp model with one bound, whose rate must fall to zero, calls ramping neurons stepping.",
        f"{ZYLBERBERG}: the form of the ramp biased the comparison",
        ramps_without_a_baseline,
        (0.8, 1.0),
        answers=True,
    ),
    Claim(
        "the_comparison_survives_drift",
        "Where baselines drift over trials by 40%, the comparison of ten units is still right on ramps and steps in "
        "four of five.",
        "bioRxiv 249672 (2018): baseline fluctuations are much of the variance and in neither model; band: simlab's",
        drift(COMPARED),
        (0.8, 1.0),
    ),
    Claim(
        "following_the_drift_repairs_it",
        "It is where rates are scaled by what each unit fired in the trials around.",
        "the correction that bioRxiv 249672 (2018) asks for; band: simlab's",
        drift(FOLLOWED),
        (0.8, 1.0),
    ),
    Claim(
        "steps_pass_for_diffusion",
        "VarCE and CorCE call steps ramping as often as they do ramps: a step of a random time has the covariances of "
        "a diffusion.",
        "analytic: both are martingales without evidence; Churchland et al. 2011, Neuron 69:818, for the argument",
        steps_pass_for_diffusion,
        (-0.2, 0.2),
        answers=True,
    ),
    Claim(
        "two_heaps_at_a_bound",
        "Ramps that meet bounds end in two heaps, which are taken for an attractor's.",
        "analytic: absorbed paths are at one bound or the other; Inagaki et al. 2019, Nature 566:212, for the argument",
        two_heaps_at_a_bound,
        (0.8, 1.0),
        answers=True,
    ),
    Claim(
        "a_dichotomy_names_one_of_two",
        "The comparison of two models is never right on an attractor: it has no word for it.",
        "by construction: it answers one of two",
        third_mechanism,
        (0.0, 0.0),
        invariant=True,
    ),
    Claim(
        "a_push_tells_all_three",
        "A push at the onset of evidence, with the model comparison where it is forgotten, names the mechanism.",
        "Kopec et al. 2015, Neuron 88:367; Finkelstein et al. 2021, Nat Neurosci 24:843",
        pushed,
        (0.8, 1.0),
    ),
    Claim(
        "a_push_tells_the_regime",
        "The same push with the heaps of unpushed trials tells bistable from driven.",
        "Inagaki et al. 2019, Nature 566:212; Finkelstein et al. 2021, Nat Neurosci 24:843",
        regime,
        (0.8, 1.0),
    ),
    oracle_recovers("circuit"),
)  # fmt: skip

STEP_OR_RAMP_OR_ATTRACTOR = Experiment(
    name="step_or_ramp_or_attractor",
    asks=(
        "An average over trials that ramps may be made of ramps, of steps at random times, or of a network that falls "
        "into one of two states. Which analyses of single trials tell them apart: models, variances over trials, the "
        "shape of late activity, or a push? How many units does it take, and what do drifting baselines and the form "
        "of the ramp do?"
    ),
    grids=(MECHANISMS, FORMS, ONE_CELL),
    claims=CLAIMS,
    subjects=12,
    time_limit=180.0,
)
