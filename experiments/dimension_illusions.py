"""How many dimensions are there? Counts that are right, counts of noise, and shapes that noise takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from circuits.latent.curved_manifold import CurvedManifold
from circuits.latent.latent_factors import LatentFactors
from circuits.latent.random_walk import RandomWalk
from circuits.latent.smooth_noise import SmoothNoise
from methods.dimension.correlation_dimension import CorrelationDimension
from methods.dimension.cross_validated_pca import CrossValidatedPca
from methods.dimension.factor_analysis_dimension import FactorAnalysisDimension
from methods.dimension.few_shot_co_smoothing import FewShotCoSmoothing
from methods.dimension.isomap_dimension import IsomapDimension
from methods.dimension.parallel_analysis import ParallelAnalysis
from methods.dimension.participation_ratio import ParticipationRatio
from methods.dimension.pca_scree import PcaScree
from methods.dimension.two_nearest_neighbours import TwoNearestNeighbours
from methods.latents.pca_latents import PcaLatents
from simlab.claims import Claim, Measured, mean, rate, with_answers
from simlab.experiment import Experiment, Grid, Plan
from simlab.fingerprint import label
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.recording.subsample import Subsample

if TYPE_CHECKING:
    import pandas as pd

    from simlab.claims import Answer

ONE_TRIAL, SOME, MANY = Plan(1, 2.0), Plan(20, 2.0), Plan(80, 2.0)

WALK = RandomWalk(n_neurons=400, model="rate")
SMOOTH = SmoothNoise(LatentFactors(n_neurons=400, time_constant=1.0, readout="rectified", depth=0.2, model="rate"))
ALL_COMPONENTS = PcaLatents(smoothing=0.0, n_factors=200, scaled=False)
"""As many components as one trial of 200 samples has, so that their variances add up to all that there is."""

WHITE = SmoothNoise(
    LatentFactors(n_neurons=100, time_constant=0.001, readout="rectified", depth=0.2, private_depth=0.0, model="rate")
)
"""Independent Gaussian units whose samples, 10 ms apart, are independent: exp(-10^2 / 2) is nothing."""
RATIO = ParticipationRatio(smoothing=0.0)
WHITE_PLANS = {50: Plan(1, 0.5), 100: Plan(1, 1.0), 400: Plan(4, 1.0)}
"""Plans by the number of samples that they give."""

ALL_OF_TWO = PcaLatents(smoothing=0.0, n_factors=400, scaled=False)
"""As many components as two trials have samples: all of the variance of either."""
NEW_TRIALS = Grid((SMOOTH, WHITE), (Plan(2, 2.0),), (Perfect(),), (ALL_OF_TWO,), baselines=False)

FACTORS, NOISE = LatentFactors(), SmoothNoise()
COUNTS = (
    PcaScree(), PcaScree("elbow"), ParallelAnalysis(), ParallelAnalysis("trials"), ParticipationRatio(),
    CrossValidatedPca(), FactorAnalysisDimension(), FewShotCoSmoothing(), FewShotCoSmoothing(shots=0),
)  # fmt: skip
DRIFT = RandomWalk(model="rate")
RING, RING_OF_RATES = CurvedManifold(), CurvedManifold(model="rate")
NEIGHBOURS, ISOMAP = TwoNearestNeighbours(), IsomapDimension()
NEIGHBOURS_OF_RATES = TwoNearestNeighbours(smoothing=0.0)
PAIRS, DISTANT_PAIRS = CorrelationDimension(), CorrelationDimension(nearer=0.05, farther=0.15)

GRIDS = (
    Grid((WALK, SMOOTH), (ONE_TRIAL,), (Perfect(),), (ALL_COMPONENTS,), baselines=False),
    Grid((WHITE,), tuple(WHITE_PLANS.values()), (Perfect(),), (RATIO,), baselines=False),
    Grid((FACTORS,), (SOME, MANY), (Subsample(15), Subsample(50)), COUNTS, rivals=(SmoothNoise(),)),
    Grid(
        (RandomWalk(), DRIFT), (MANY,), (Subsample(50),), (ParallelAnalysis(), ParallelAnalysis("trials"), PcaScree())
    ),
    Grid(
        (RING,),
        (MANY,),
        (Perfect(),),
        (NEIGHBOURS, PAIRS, DISTANT_PAIRS, ISOMAP, ParallelAnalysis(), FewShotCoSmoothing()),
    ),
    Grid((RING_OF_RATES,), (MANY,), (Perfect(),), (NEIGHBOURS_OF_RATES, ISOMAP, ParallelAnalysis())),
    NEW_TRIALS,
)


def first_share(estimate: Mapping[str, Any], truth: Any) -> float:
    """The first component's share of the variance of all."""
    variance = estimate["latent"].reshape(-1, estimate["latent"].shape[2]).var(axis=0)
    return float(variance[0] / variance.sum())


def half_cosine(estimate: Mapping[str, Any], truth: Any) -> float:
    """|correlation| of the first component's course over a trial with half a cosine, the mean over trials."""
    course = estimate["latent"][:, :, 0]
    wave = np.cos(np.pi * (np.arange(course.shape[1]) + 0.5) / course.shape[1])
    return float(np.mean([abs(np.corrcoef(trial, wave)[0, 1]) for trial in course]))


def carried_over(estimate: Mapping[str, Any], truth: Any, courses: int = 3) -> float:
    """Share of the second trial's variance that the first trial's three main time courses explain."""
    first, second = (trial - trial.mean(axis=0) for trial in estimate["latent"][:2])
    main = np.linalg.svd(first, full_matrices=False)[0][:, :courses]
    return float(np.square(main.T @ second).sum() / np.square(second).sum())


def of_components(
    circuit: Any, figure: Callable[[Any, Any], float], method: PcaLatents = ALL_COMPONENTS
) -> Callable[[pd.DataFrame, Answer], Measured]:
    """The mean over subjects of a figure of all principal components of one trial, or of two."""

    def measure(table: pd.DataFrame, answer: Answer) -> Measured:
        chosen = {"circuit_label": label(circuit), "method_label": label(method)}
        return mean(with_answers(table, answer, "figure", figure, **chosen), "figure")

    return measure


def ratio_to_theory(samples: int) -> Callable[[pd.DataFrame, Answer], Measured]:
    """The participation ratio of N independent units in M samples over N M / (N + M)."""
    n, plan = WHITE.n_neurons, WHITE_PLANS[samples]

    def measure(table: pd.DataFrame, answer: Answer) -> Measured:
        chosen = {"method_label": label(RATIO), "trials": plan.trials, "duration": plan.duration}
        chosen |= {"circuit_label": label(WHITE)}
        theory = n * samples / (n + samples)
        rows = with_answers(table, answer, "ratio", lambda estimate, truth: estimate["linear"] / theory, **chosen)
        return mean(rows, "ratio")

    return measure


def exact(method: Any, circuit: Any, units: int = 50, plan: Plan = MANY) -> Callable[[pd.DataFrame], Measured]:
    """How often a method's count is exact."""
    seen: dict[str, Any] = {"trials": plan.trials, "method_label": label(method), "circuit_label": label(circuit)}
    if units:
        seen["instrument_label"] = label(Subsample(units))
    return lambda table: rate(table, "recovered", **seen)


def claimed(method: Any, units: int = 50, plan: Plan = MANY) -> Callable[[pd.DataFrame], Measured]:
    """How often dimensions are claimed among independent neurons that are matched to those with factors."""
    seen: dict[str, Any] = {
        "trials": plan.trials,
        "instrument_label": label(Subsample(units)),
        "method_label": label(method),
    }
    return lambda table: rate(table, "false_recovery", circuit="smooth_noise", role="rival", **seen)


WALKS = "Antognini & Sohl-Dickstein 2018, arXiv 1806.08805: eigenvalues of a high-dimensional walk, 6 / (pi k)^2"
PHANTOM = "Shinn 2023, PNAS 120:e2310012120: phantom oscillations in principal components"

CLAIMS = (
    Claim(
        "a_walk_looks_low_dimensional",
        "The first principal component of 400 independent random walks, seen in one trial, holds 6 / pi^2 = .608 of "
        "the variance.",
        WALKS,
        of_components(WALK, first_share),
        (0.578, 0.638),
        answers=True,
    ),
    Claim(
        "a_walk_looks_like_half_a_cosine",
        "Its time course is half a period of a cosine.",
        WALKS,
        of_components(WALK, half_cosine),
        (0.95, 1.0),
        answers=True,
    ),
    Claim(
        "smooth_noise_looks_like_half_a_cosine",
        "So is that of 400 neurons which wander smoothly, each on its own, with a time constant of half a trial.",
        PHANTOM,
        of_components(SMOOTH, half_cosine),
        (0.8, 1.0),
        answers=True,
    ),
    Claim(
        "a_new_trial_does_not_tell_smooth_noise",
        "Cross-validation does not notice: three time courses of one trial explain at least 80% of the variance of a "
        "trial that they were not fitted to, in which every neuron wanders anew.",
        f"{PHANTOM}; the number is ours",
        of_components(SMOOTH, carried_over, ALL_OF_TWO),
        (0.8, 1.0),
        answers=True,
    ),
    Claim(
        "a_new_trial_tells_white_noise",
        "The same of neurons whose samples are independent: no more than three courses of 200 hold by chance, 1.5%.",
        "analytic: 3 / 199 of the variance of a centred trial",
        of_components(WHITE, carried_over, ALL_OF_TWO),
        (0.0, 0.02),
        answers=True,
    ),
    *(
        Claim(
            f"participation_ratio_in_{samples}_samples",
            f"The participation ratio of 100 independent units in {samples} samples is that of chance, N M / (N + M): "
            "it counts units and samples, not dimensions. Within 5%, as the answer is a whole number.",
            "analytic: the moments of a Wishart matrix; Gao et al. 2017, bioRxiv 214262",
            ratio_to_theory(samples),
            (0.95, 1.05),
            answers=True,
        )
        for samples in WHITE_PLANS
    ),
    Claim(
        "ninety_percent_counts_noise",
        "As many components as hold 90% of the variance of smoothed counts are never the 3 factors that there are.",
        "analytic: private noise holds more than 10% of the variance",
        exact(PcaScree(), FACTORS),
        (0.0, 0.1),
    ),
    *(
        Claim(
            f"{name}_recovers_the_number_of_factors",
            f"{words} finds exactly 3 factors in 50 units and 80 trials of 2 s.",
            source,
            exact(method, FACTORS),
            (0.8, 1.0),
        )
        for name, words, source, method in (
            ("parallel_analysis", "Parallel analysis", "Horn 1965, Psychometrika 30:179", COUNTS[2]),
            ("cross_validation", "Bi-cross-validation", "Owen & Perry 2009, Ann Appl Stat 3:564", COUNTS[5]),
            ("factor_analysis", "Likelihood of factor analysis", "Yu et al. 2009, J Neurophysiol 102", COUNTS[6]),
            ("few_shot_co_smoothing", "Few-shot co-smoothing", "PLoS Comput Biol 2025, 1013789", COUNTS[7]),
        )
    ),
    *(
        Claim(
            f"{name}_claims_none_in_independent_neurons",
            f"{words} finds no dimension in neurons that are matched one by one and share nothing.",
            "by its construction: independent neurons have none",
            claimed(method),
            (0.0, 0.2),
        )
        for name, words, method in (
            ("parallel_analysis", "Parallel analysis", COUNTS[2]),
            ("cross_validation", "Bi-cross-validation", COUNTS[5]),
            ("few_shot_co_smoothing", "Few-shot co-smoothing", COUNTS[7]),
        )
    ),
    Claim(
        "an_elbow_is_always_found",
        "The elbow of a scree plot claims dimensions in independent neurons every time.",
        "by its construction: any falling curve has a point farthest below its chord",
        claimed(COUNTS[1]),
        (0.8, 1.0),
    ),
    Claim(
        "shifted_controls_miss_drift",
        "Shifting units in time is no control for walks that begin anew in each trial: parallel analysis of rates "
        "finds no dimension in fewer than half of such recordings.",
        "Harris 2020, bioRxiv 2020.11.29.402719 (nonsense correlations), for the argument",
        exact(ParallelAnalysis(), DRIFT),
        (0.0, 0.5),
    ),
    Claim(
        "trials_in_another_order_do_not",
        "Putting each unit's trials in another order is.",
        "analytic: trials are exchangeable there",
        exact(ParallelAnalysis("trials"), DRIFT),
        (0.8, 1.0),
    ),
    Claim(
        "a_ring_is_not_one_dimension_of_neighbours_in_spikes",
        "Nearest neighbours of states that are estimated from spikes do not see that a ring has one dimension: at "
        "their scale there is noise.",
        "analytic: noise has the dimension of the space around it (Facco et al. 2017, Sci Rep 7:12140, on scale)",
        exact(NEIGHBOURS, RING, 0),
        (0.0, 0.2),
    ),
    Claim(
        "a_ring_is_one_dimension_of_neighbours_in_rates",
        "They do where the same neurons' rates are seen without noise.",
        "Facco et al. 2017, Sci Rep 7:12140",
        exact(NEIGHBOURS_OF_RATES, RING_OF_RATES, 0),
        (0.8, 1.0),
    ),
    Claim(
        "a_ring_is_one_dimension_of_distant_pairs_in_spikes",
        "In spikes, too, pairs of states see one dimension if they are counted at distances that are larger than the "
        "noise: within which 5 to 15% of all states lie.",
        "Grassberger & Procaccia 1983, Physica D 9:189: noise hides the slope below its own scale alone",
        exact(DISTANT_PAIRS, RING, 0),
        (0.8, 1.0),
    ),
)

DIMENSION_ILLUSIONS = Experiment(
    name="dimension_illusions",
    asks=(
        "Which counts of dimensions tell factors that neurons share from what each of them does alone? Components of "
        "smooth noise look like a low-dimensional oscillation, and of independent units like as many dimensions as "
        "there are samples. How many units and trials do the methods need that are right, and does any see that a bump "
        "code of eight linear dimensions is a curve?"
    ),
    grids=GRIDS,
    claims=CLAIMS,
    subjects=20,
    time_limit=120.0,
)
