"""Do two populations share a code? Measures of similarity on populations that do, that do not, and whose noise does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from circuits.coding.common_fluctuations import CommonFluctuations
from circuits.coding.confounded_codes import ConfoundedCodes
from circuits.coding.private_codes import PrivateCodes
from circuits.coding.shared_code import SharedCode
from circuits.latent.other_flow import OtherFlow
from circuits.latent.shared_flow import SharedFlow
from methods.similarity.canonical_similarity import CanonicalSimilarity
from methods.similarity.cka import Cka
from methods.similarity.dynamical_similarity import DynamicalSimilarity
from methods.similarity.linear_predictivity import LinearPredictivity
from methods.similarity.procrustes_distance import ProcrustesDistance
from methods.similarity.rsa import Rsa
from simlab.claims import Claim, Measured, difference, mean, oracle_recovers, rate
from simlab.experiment import Experiment, Grid, Plan
from simlab.fingerprint import label
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.recording.subsample import Subsample

if TYPE_CHECKING:
    import pandas as pd

EUCLIDEAN, CROSSED, MAHALANOBIS, CROSSNOBIS = (
    Rsa(distance)
    for distance in ("euclidean", "cross_validated", "mahalanobis", "crossnobis")  # type: ignore[arg-type]
)
APART = Rsa("crossnobis", noise_of="other_repeats")
OTHER_TRIALS = Rsa(other_trials=True)
GEOMETRIES = (EUCLIDEAN, CROSSED, MAHALANOBIS, CROSSNOBIS, APART, OTHER_TRIALS)
BIASED, DEBIASED = Cka(), Cka(debiased=True)
PREDICTED, PREDICTED_APART = LinearPredictivity(), LinearPredictivity(other_trials=True)
DYNAMICAL = DynamicalSimilarity()
ONSETS = (Rsa("crossnobis", window=0.1), Cka(debiased=True, window=0.1), ProcrustesDistance(window=0.1))
"""Of what a stimulus leaves in the first tenth of a second."""
MEASURES = (*GEOMETRIES, BIASED, DEBIASED, ProcrustesDistance(), CanonicalSimilarity(), PREDICTED, PREDICTED_APART)

FOUR, TEN = Plan(96, 0.5), Plan(240, 0.5)
"""Repeats of each of the 24 stimuli."""

SHARED, HALF = SharedCode(), SharedCode(n_shared=2)
PRIVATE, COMMON, CONFOUNDED = (label(kind()) for kind in (PrivateCodes, CommonFluctuations, ConfoundedCodes))
RUNS = SharedCode(depth=0.1, drift=0.6, order="fixed", rest=100.0)
"""Weak responses and slow noise: each neuron drifts by six times what stimuli do, over six trials; stimuli come in the
same order in each run, and runs are far apart."""
SHUFFLED_RUNS = replace(RUNS, order="random")
UNITS = (6, 24, 96)
"""In either population, beside 24 stimuli."""
NOISE = {n: PrivateCodes(SharedCode(n_neurons=2 * n, depth=0.0, gain=0.0, rate_spread=0.0)) for n in UNITS}

CODES = Grid(
    circuits=(SHARED,),
    rivals=(PrivateCodes(), CommonFluctuations(), ConfoundedCodes()),
    plans=(FOUR, TEN),
    instruments=(Perfect(),),
    methods=MEASURES,
)
PARTLY = Grid(circuits=(HALF,), plans=(TEN,), instruments=(Perfect(), Subsample(n_units=20)), methods=MEASURES)
DRIFTING = Grid(
    circuits=(RUNS, SHUFFLED_RUNS),
    rivals=(PrivateCodes(),),
    plans=(FOUR,),
    instruments=(Perfect(),),
    methods=GEOMETRIES,
)
FLOWS = Grid(
    circuits=(SharedFlow(),),
    rivals=(OtherFlow(),),
    plans=(Plan(96, 2.0),),
    instruments=(Perfect(),),
    methods=(DYNAMICAL, *ONSETS),
)
SIZES = Grid(circuits=tuple(NOISE.values()), plans=(FOUR,), instruments=(Perfect(),), methods=(BIASED, DEBIASED))


def called_alike(method: Any, rival: str, plan: Plan = FOUR) -> Callable[[pd.DataFrame], Measured]:
    """A measure: how often a method calls two codes alike that share nothing."""

    def measure(table: pd.DataFrame) -> Measured:
        at: dict[str, Any] = {"circuit_label": rival, "trials": plan.trials, "instrument": "perfect"}
        return rate(table, "false_recovery", method_label=label(method), **at)

    return measure


def of_private_codes(table: pd.DataFrame) -> Measured:
    """How often any measure calls private codes with private noise alike."""
    return rate(table, "false_recovery", circuit_label=PRIVATE, kind="passive")


def found(table: pd.DataFrame) -> Measured:
    """How often any measure finds a shared code in ten repeats."""
    return rate(table, "correct", circuit_label=label(SHARED), trials=TEN.trials, kind="passive")


def beyond_chance(table: pd.DataFrame) -> Measured:
    """How much more often measures call a shared code alike than codes of features that went together."""
    confounded = rate(table, "false_recovery", circuit_label=CONFOUNDED, trials=TEN.trials, kind="passive")
    return difference(found(table), confounded)


def stated(method: Any, circuit: Any) -> Callable[[pd.DataFrame], Measured]:
    """A measure: the mean similarity that a method states."""

    def measure(table: pd.DataFrame) -> Measured:
        return mean(table, "stated_similarity", method_label=label(method), circuit_label=label(circuit))

    return measure


def right(methods: tuple[Any, ...], circuit: Any) -> Callable[[pd.DataFrame], Measured]:
    """A measure: how often the verdicts of these methods are right."""

    def measure(table: pd.DataFrame) -> Measured:
        return rate(table, "correct", method_label=tuple(map(label, methods)), circuit_label=label(circuit))

    return measure


def by_noise_alone(n_units: int, n_stimuli: int = 24) -> tuple[float, float]:
    """The band of biased CKA of so many units of noise in either population: p / (p + n), by moments of Wishart
    matrices, give or take what a ratio of means differs from a mean of ratios."""
    expected = n_units / (n_units + n_stimuli)
    return expected - 0.03, expected + 0.03


HENRIKSSON = "Henriksson et al. 2015, NeuroImage 114:275 (areas of human visual cortex)"
CAI = "Cai et al. 2019, PLoS Comput Biol 15:e1006299 (fMRI)"
MURPHY = "Murphy et al. 2024, arXiv 2405.01012; analytic: p / (p + n)"
TOGETHER = "theorem: responses are distributed alike"
OSTROW = "Ostrow et al. 2023, arXiv 2306.10168: similar geometry is no similar dynamics"
DRIFTS = label(PrivateCodes(RUNS))
CLAIMS = (
    Claim(
        "what_goes_together_cannot_be_told_apart",
        "Where the stimuli vary features of both populations together, codes that share nothing are called alike as "
        "often as a shared code.",
        TOGETHER,
        beyond_chance, (-0.15, 0.15),
    ),
    Claim(
        "shared_codes_are_found",
        "Of ten repeats of each stimulus, measures find a shared code in nine of ten recordings or more.",
        "by the size of the responses: it must be possible",
        found, (0.9, 1.0),
    ),
    Claim(
        "private_codes_are_kept_apart",
        "Codes of other features, with noise of their own, are called alike in at most a tenth.",
        "by the level of the tests",
        of_private_codes, (0.0, 0.1),
    ),
    Claim(
        "a_common_gain_makes_uncorrected_rsa_call_them_alike",
        "Where both populations are aroused together, uncorrected RSA of the same trials calls private codes alike in "
        "half of the recordings or more.",
        HENRIKSSON,
        called_alike(EUCLIDEAN, COMMON), (0.5, 1.0),
    ),
    Claim(
        "cross_validation_alone_does_not_help",
        "Cross-validated distances are unbiased one by one, and are called alike as often: their errors are the same.",
        "analytic: errors of products of repeats have the gain in both populations",
        called_alike(CROSSED, COMMON), (0.5, 1.0),
    ),
    Claim(
        "crossnobis_is_hardly_fooled",
        "Crossnobis distances, which count the gain's direction by its noise, are called alike in at most a tenth.",
        "Walther et al. 2016, NeuroImage 137:188: distances in units of noise are more reliable",
        called_alike(CROSSNOBIS, COMMON), (0.0, 0.1),
    ),
    Claim(
        "other_trials_settle_it",
        "Uncorrected RSA whose two sides are of different trials calls them alike in at most a tenth.",
        HENRIKSSON,
        called_alike(OTHER_TRIALS, COMMON), (0.0, 0.1),
    ),
    Claim(
        "debiased_alignment_is_fooled_by_a_common_gain",
        "CKA without its bias calls them alike in half or more: what is corrected is a bias of few stimuli.",
        "analytic: common noise is no bias of size",
        called_alike(DEBIASED, COMMON), (0.5, 1.0),
    ),
    Claim(
        "held_out_stimuli_do_not_protect_predictions",
        "Regression judged by stimuli that it was not fitted to calls them alike in a fifth or more.",
        "analytic: the gain of a held-out stimulus's trials is in predictor and predicted",
        called_alike(PREDICTED, COMMON), (0.2, 1.0),
    ),
    Claim(
        "held_out_trials_protect_them",
        "If the predicted responses are of other trials, in at most a tenth.",
        f"{HENRIKSSON}, for regression",
        called_alike(PREDICTED_APART, COMMON), (0.0, 0.1),
    ),
    Claim(
        "slow_noise_makes_uncorrected_rsa_call_them_alike",
        "Noise that is slow, and shared by nobody, makes uncorrected RSA call private codes alike in half or more "
        "where stimuli always come in the same order.",
        f"{CAI}: the structure of the task shows in the distances",
        called_alike(EUCLIDEAN, DRIFTS), (0.5, 1.0),
    ),
    # Fails at 16 pairs (.38 [.19, .61]): half of what a fixed order makes. In four runs some stimuli are neighbours
    # more often than others, by chance, and both populations were shown them so; in different runs, none is fooled.
    Claim(
        "a_new_order_in_each_run_settles_it",
        "With stimuli in a new order in each run, in at most a tenth.",
        CAI,
        called_alike(EUCLIDEAN, label(PrivateCodes(SHUFFLED_RUNS))), (0.0, 0.1),
    ),
    Claim(
        "cross_validation_over_runs_settles_it",
        "Distances cross-validated over runs are called alike in at most a tenth.",
        f"{CAI}; Walther et al. 2016",
        called_alike(CROSSED, DRIFTS), (0.0, 0.1),
    ),
    Claim(
        "other_trials_do_not",
        "Uncorrected RSA of different trials is fooled in four of ten or more: both sides have the task's structure.",
        "analytic: the bias is that of the order, which all runs have",
        called_alike(OTHER_TRIALS, DRIFTS), (0.4, 1.0),
    ),
    Claim(
        "whitening_by_the_same_runs_undoes_it",
        "Crossnobis distances, whitened by the noise of the same few runs, are called alike in half or more.",
        "simlab: the covariance shrinks what the runs that went into it differ in, and slow noise has little of it",
        called_alike(CROSSNOBIS, DRIFTS), (0.5, 1.0),
    ),
    # Fails at 16 pairs (.25 [.10, .50]). Similarities are unbiased, .06 on average and .01 without whitening, and yet
    # permuted stimuli are no fair null of noise that is smooth in time: errors of neighbours are alike on both sides.
    Claim(
        "whitening_by_other_runs_does_not",
        "Whitened by the noise of runs other than the two compared, in at most a tenth.",
        "analytic: products of independent errors have no mean, whatever axes are drawn apart from them",
        called_alike(APART, DRIFTS), (0.0, 0.1),
    ),
    *(
        Claim(
            f"{n}_units_of_noise_align_by_their_number",
            f"Biased CKA of {n} units of noise in either population, and 24 stimuli, is {n / (n + 24):.2f}.",
            MURPHY,
            stated(BIASED, NOISE[n]), by_noise_alone(n),
        )
        for n in UNITS
    ),
    Claim(
        "debiased_alignment_of_noise_is_none",
        "Debiased CKA of 96 units of noise is 0.",
        "Song et al. 2012, J Mach Learn Res 13:1393: unbiased",
        stated(DEBIASED, NOISE[96]), (-0.05, 0.05),
    ),
    Claim(
        "alike_in_geometry",
        "Populations with other flows, that represent the same at a stimulus's onset, are called alike by measures of "
        "geometry, which is right as far as it goes.",
        OSTROW,
        right(ONSETS, OtherFlow()), (0.9, 1.0),
    ),
    Claim(
        "and_not_in_mechanism",
        "Dynamical similarity tells the flows apart in nine of ten or more.",
        OSTROW,
        right((DYNAMICAL,), OtherFlow()), (0.9, 1.0),
    ),
    Claim(
        "one_flow_is_one_in_other_neurons",
        "Where both have one flow, it says so in nine of ten or more, whatever neurons they are seen in.",
        OSTROW,
        right((DYNAMICAL,), SharedFlow()), (0.9, 1.0),
    ),
    oracle_recovers(),
)  # fmt: skip

SHARED_OR_NOT = Experiment(
    name="shared_or_not",
    asks=(
        "Do two populations share a code? Representational similarity in six forms, alignment, shapes, canonical "
        "correlations and predictions, on populations that read the same features, half of them, or none, with noise "
        "of their own, noise in common, and noise that is slow. And do they do the same with what they represent?"
    ),
    grids=(CODES, PARTLY, DRIFTING, SIZES, FLOWS),
    claims=CLAIMS,
    subjects=40,
)
