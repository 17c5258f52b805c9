"""Partial correlations: those of the library, right links in a known graph, and none where there are none."""

import numpy as np
import pytest
from planted_connectivity import poisson_spikes
from planted_signals import any_discovery, bursty_spikes, gaussian_graph, of_signal, slow_signals

from methods.wiring._correlations import partial
from methods.wiring.partial_correlation import PartialCorrelation
from methods.wiring.spike_count_correlation import SpikeCountCorrelation
from simlab.data import recording

RNG = np.random.default_rng


def _analyse(world, **fields):
    return PartialCorrelation(**fields).analyse(world, RNG(0))


def test_partial_correlations_are_correlations_of_residuals():
    x = RNG(0).normal(size=(500, 4)) @ RNG(1).normal(size=(4, 4))
    x -= x.mean(axis=0)
    rest = x[:, 2:]
    left = x[:, :2] - rest @ np.linalg.lstsq(rest, x[:, :2], rcond=None)[0]
    expected = np.corrcoef(left.T)[0, 1]
    np.testing.assert_allclose(partial(np.linalg.inv(x.T @ x))[0, 1], expected, atol=1e-12)


@pytest.mark.parametrize("shrinkage", ["ledoit_wolf", "oas"])
def test_the_graph_of_a_gaussian_is_found_without_its_paths(shrinkage):
    world, links = gaussian_graph(RNG(1), n=10)
    estimate = _analyse(world, shrinkage=shrinkage, alpha=0.01).estimate
    np.testing.assert_array_equal(estimate["decided"], links != 0)
    np.testing.assert_array_equal(estimate["sign"][links != 0], np.sign(links[links != 0]))
    plain = SpikeCountCorrelation(alpha=0.01).analyse(world, RNG(0)).estimate["decided"]
    assert plain.sum() > (links != 0).sum()  # correlations run along paths


def test_shrinkage_is_that_of_the_library():
    from sklearn.covariance import LedoitWolf

    world, _ = gaussian_graph(RNG(2), n=6, samples=60)
    x = world["signal"].values
    flat = (x - x.mean(axis=1, keepdims=True)).reshape(-1, 6)
    flat /= flat.std(axis=0)
    model = LedoitWolf(assume_centered=True).fit(flat)
    finding = _analyse(world)
    assert finding.notes["shrinkage"] == pytest.approx(model.shrinkage_)
    r = partial(model.precision_) / (1 - model.shrinkage_)
    order = np.argsort(np.abs(r[np.triu_indices(6, 1)]))
    # white samples: effective numbers differ little, so the strongest link is the strongest
    assert np.argsort(finding.estimate["score"][np.triu_indices(6, 1)])[-1] == order[-1]


def test_z_is_standard_normal_without_links():
    # 60 samples of 10 units: shrinkage is near 1 there, and the statistic must neither collapse nor swell.
    z = []
    for seed in range(40):
        world = of_signal(RNG(seed).normal(size=(1, 120, 10)))
        z.append(_analyse(world).estimate["score"][np.triu_indices(10, 1)])
    # mean square of 1800 standard normals, slightly dependent: 1 +- .033; the floor on the inflation makes it smaller
    assert 0.8 < np.mean(np.square(z)) < 1.1


def test_independent_units_are_seldom_called_connected():
    # Each recording errs with probability <= .05; P(more than 3 of 12 | .05) = .002 for each of the three sizes
    for n in (3, 8, 20):
        assert any_discovery(PartialCorrelation(), [poisson_spikes(RNG(s), n=n, trials=5) for s in range(12)]) <= 3


def test_bursty_and_slow_independent_units_are_seldom_called_connected():
    # .05, allow .1 for estimated autocorrelations: P(more than 3 of 8) = .005
    for n in (3, 8, 20):
        assert any_discovery(PartialCorrelation(), [bursty_spikes(RNG(s), n=n, trials=10) for s in range(8)]) <= 3
        assert any_discovery(PartialCorrelation(), [slow_signals(RNG(s), n=n, trials=5) for s in range(8)]) <= 3


def test_two_units_have_nothing_to_be_conditioned_on():
    world, _ = gaussian_graph(RNG(3), n=2)
    plain = SpikeCountCorrelation().analyse(world, RNG(0)).estimate
    ours = _analyse(world).estimate
    np.testing.assert_array_equal(ours["decided"], plain["decided"])
    assert ours["decided"].sum() == 2


def test_too_few_samples_for_the_units_are_no_answer():
    assert "too few independent samples" in _analyse(of_signal(RNG(4).normal(size=(1, 20, 30)))).abstained


def test_constant_and_twin_traces_do_no_harm():
    x = RNG(5).normal(size=(4, 200, 4))
    x[:, :, 1] = x[:, :, 0]
    x[:, :, 3] = 0.7
    estimate = _analyse(of_signal(x)).estimate
    assert np.isfinite(estimate["score"]).all()
    assert estimate["decided"][0, 1]
    assert not estimate["decided"][3].any()
    assert "ever change" in _analyse(of_signal(np.full((4, 200, 3), 0.7))).abstained


def test_samples_that_are_not_finite_are_no_answer():
    x = RNG(6).normal(size=(2, 100, 3))
    x[0, 5, 1] = np.nan
    time = np.arange(100) / 100
    world = recording(duration=1.0, n_units=3, n_trials=2, signal=np.zeros_like(x), modality="rate", sample_time=time)
    world["signal"].values[:] = x
    assert "not finite" in _analyse(world).abstained
