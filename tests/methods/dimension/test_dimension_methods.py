"""Methods that count dimensions: right on shared factors, none among independent units, and what fools them."""

from __future__ import annotations

import latent_worlds as worlds
import numpy as np
import pytest

from methods.dimension.correlation_dimension import CorrelationDimension
from methods.dimension.cross_validated_pca import CrossValidatedPca, least_rank
from methods.dimension.factor_analysis_dimension import FactorAnalysisDimension
from methods.dimension.few_shot_co_smoothing import FewShotCoSmoothing
from methods.dimension.isomap_dimension import IsomapDimension
from methods.dimension.parallel_analysis import ParallelAnalysis
from methods.dimension.participation_ratio import ParticipationRatio
from methods.dimension.pca_scree import PcaScree, elbow
from methods.dimension.two_nearest_neighbours import TwoNearestNeighbours
from simlab.contracts import SimlabError
from simlab.data import recording

COUNTS = (
    ParallelAnalysis(), ParallelAnalysis("trials"), CrossValidatedPca(), FactorAnalysisDimension(most=3),
    FewShotCoSmoothing(),
)  # fmt: skip
ALL = (
    *COUNTS, PcaScree(), PcaScree("elbow"), ParticipationRatio(), TwoNearestNeighbours(), IsomapDimension(),
    CorrelationDimension(),
)  # fmt: skip
named = pytest.mark.parametrize("method", COUNTS, ids=lambda method: f"{method.name}-{getattr(method, 'control', '')}")


def linear(method, circuit, seed=0, **plan):
    return int(worlds.finding_of(method, circuit, seed, **plan).estimate["linear"])


def gaussian(samples: int, units: int, rank: int = 0, seed: int = 0):
    """A signal of one trial: independent units, or a cloud of so many dimensions."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((1, samples, rank or units))
    x = x @ np.linalg.qr(rng.standard_normal((units, rank)))[0].T if rank else x
    time = np.arange(samples) * 0.01
    return recording(duration=samples * 0.01, n_units=units, n_trials=1, signal=x, modality="rate", sample_time=time)


@named
def test_shared_factors_are_counted_exactly(method):
    assert linear(method, worlds.FACTORS) == 2


@named
def test_independent_units_have_no_dimension(method):
    found = [linear(method, worlds.NOISE, seed) for seed in range(3)]
    assert sorted(found)[1] == 0  # at most one in three, at the level of each


def test_an_odd_number_of_units_is_divided_into_unequal_halves():
    found = CrossValidatedPca().analyse(worlds.small(units=15), np.random.default_rng(0))
    assert found.estimate["linear"] == 2


def test_walks_that_begin_anew_in_each_trial_escape_the_shift_and_not_the_order_of_trials():
    shifted, reordered = (
        [linear(ParallelAnalysis(c, n_shuffles=20), worlds.WALK, seed) for seed in range(4)]
        for c in ("shift", "trials")
    )
    assert np.mean(shifted) > 2
    assert sorted(reordered)[2] == 0


@pytest.mark.parametrize(("samples", "units"), [(100, 100), (400, 50), (60, 120)])
def test_the_participation_ratio_of_independent_units_is_that_of_chance(samples, units):
    seen = gaussian(samples, units)
    found = ParticipationRatio(smoothing=0.0).analyse(seen, np.random.default_rng(0)).notes["participation_ratio"]
    assert found == pytest.approx(units * samples / (units + samples), rel=0.05)
    better = ParticipationRatio(corrected=True, smoothing=0.0).analyse(seen, np.random.default_rng(0))
    assert better.notes["participation_ratio"] == pytest.approx(units, rel=0.1)


def test_ninety_percent_of_the_variance_counts_private_noise():
    assert linear(PcaScree(), worlds.FACTORS) > 20
    assert linear(PcaScree("elbow"), worlds.NOISE) > 0
    assert elbow(np.array([10.0, 9.0, 1.0, 0.9, 0.8])) == 2
    clean = PcaScree(share=1.0, smoothing=0.0).analyse(gaussian(300, 20, rank=4), np.random.default_rng(0))
    assert clean.estimate["linear"] == 4


def test_neighbours_see_the_dimension_of_a_cloud_and_of_a_curve():
    for kind in (TwoNearestNeighbours, CorrelationDimension):
        cloud = kind(smoothing=0.0, spacing=0.02).analyse(gaussian(1500, 10, rank=3), np.random.default_rng(0))
        assert cloud.estimate["intrinsic"] == 3
        ring = worlds.finding_of(kind(smoothing=0.0), worlds.RING, trials=60)
        assert ring.estimate["intrinsic"] == 1


def test_pairs_of_a_circle_grow_with_their_distance_as_counted():
    angle = np.random.default_rng(0).uniform(0, 2 * np.pi, 800)
    found = CorrelationDimension()._slope(np.stack([np.cos(angle), np.sin(angle)], axis=1))
    # radii at which half of the states have 1% and 5% of all about them, along the circle
    assert found == pytest.approx(1.0, abs=0.03)


def test_isomap_sees_the_plane_that_a_ring_lies_in_and_the_dimension_of_a_cloud():
    few = IsomapDimension(smoothing=0.0, most_states=300, most=5)
    assert worlds.finding_of(few, worlds.RING, trials=60).estimate["intrinsic"] == 2
    cloud = IsomapDimension(smoothing=0.0, spacing=0.02, most_states=400, most=5)
    assert cloud.analyse(gaussian(1200, 10, rank=3), np.random.default_rng(0)).estimate["intrinsic"] == 3


def test_neighbours_and_isomap_say_that_independent_units_have_no_manifold():
    for method in (TwoNearestNeighbours(), IsomapDimension(), CorrelationDimension()):
        found = [worlds.finding_of(method, worlds.NOISE, seed).estimate["intrinsic"] for seed in range(3)]
        assert sorted(found)[1] == 0


def test_the_least_rank_within_an_error_of_the_best_is_no_more_than_the_best():
    errors = np.array([[1.0, 0.5, 0.39, 0.41], [1.0, 0.42, 0.43, 0.44]])
    assert least_rank(errors, False) == 2
    assert least_rank(errors, True) == 2  # .46 against .41 +- .02
    assert least_rank(np.add(errors, [[0, 0, 0.1, 0], [0, 0, -0.1, 0]]), True) == 1  # .46 against .41 +- .08


def test_what_a_method_cannot_use_it_abstains_from():
    rng = np.random.default_rng(0)
    for method in ALL:
        assert "units" in method.analyse(worlds.small(units=2), rng).abstained
        assert "units are active" in method.analyse(worlds.silent(), rng).abstained
        assert "0 of 10 units are active" in method.analyse(constant(), rng).abstained
    assert "needs 20 trials" in FewShotCoSmoothing(shots=10).analyse(worlds.small(trials=12), rng).abstained
    for kind in (TwoNearestNeighbours, CorrelationDimension):
        assert "states" in kind(spacing=2.0).analyse(worlds.small(trials=20), rng).abstained
    with pytest.raises(SimlabError, match=r"nearer must be below farther, 0.05, got 0.1"):
        CorrelationDimension(nearer=0.1)


def constant():
    """A signal that never changes."""
    time = np.arange(100) * 0.01
    same = np.ones((10, 100, 10))
    return recording(duration=1.0, n_units=10, n_trials=10, signal=same, modality="rate", sample_time=time)
