"""The graphical lasso: the library's network, what it misses and claims, and what stability selection saves."""

import numpy as np
import pytest
from planted_connectivity import poisson_spikes
from planted_signals import any_discovery, bursty_spikes, gaussian_graph, of_signal, slow_signals

from methods.wiring.graphical_lasso import GraphicalLasso, _first_edges, _moments

RNG = np.random.default_rng
STABLE = GraphicalLasso(selection="stability", subsamples=30)


def _analyse(world, method=None):
    return (method or GraphicalLasso()).analyse(world, RNG(0))


def test_precision_is_that_of_the_library():
    from sklearn.covariance import GraphicalLassoCV

    world, _ = gaussian_graph(RNG(0), n=5)
    x = world["signal"].values
    rows = (x - x.mean(axis=1, keepdims=True)).reshape(-1, 5)
    rows /= rows.std(axis=0)
    precision = GraphicalLassoCV(assume_centered=True).fit(rows).precision_
    scale = np.sqrt(np.diag(precision))
    expected = np.abs(precision / np.outer(scale, scale))
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(_analyse(world).estimate["score"], expected, atol=1e-9)


def test_cross_validation_finds_all_links_and_too_many():
    world, links = gaussian_graph(RNG(1), n=10)
    estimate = _analyse(world).estimate
    assert estimate["decided"][links != 0].all()
    np.testing.assert_array_equal(estimate["sign"][links != 0], np.sign(links[links != 0]))
    assert estimate["decided"].sum() > (links != 0).sum()
    assert estimate["score"][links != 0].min() > estimate["score"][links == 0].max()


def test_stability_finds_the_few_links_and_no_other():
    chain, links = gaussian_graph(RNG(2), n=4)
    x = np.concatenate([chain["signal"].values, RNG(3).normal(size=(10, 300, 6))], axis=2)
    truth = np.zeros((10, 10), dtype=bool)
    truth[:4, :4] = links != 0
    finding = _analyse(of_signal(x), STABLE)
    np.testing.assert_array_equal(finding.estimate["decided"], truth)
    np.testing.assert_array_equal(finding.estimate["sign"][:4, :4][links != 0], np.sign(links[links != 0]))
    assert finding.notes["most"] == 6  # sqrt(.8 x 1 x 45)


def test_no_more_edges_enter_than_are_allowed():
    moments = _moments(gaussian_graph(RNG(4), n=10)[0]["signal"].values).sum(axis=0)
    for most in (1, 5, 9):
        assert np.count_nonzero(np.triu(_first_edges(moments, most))) <= most


def test_few_trials_are_cut_into_pieces():
    assert len(_moments(RNG(5).normal(size=(3, 70, 2)))) == 21
    assert len(_moments(RNG(5).normal(size=(30, 70, 2)))) == 30


def test_cross_validation_claims_edges_among_independent_units():
    # what the docstring says of it, at one size: P(2 or fewer of 8 | .4) = .32, P(0 of 8) = .02
    worlds = [poisson_spikes(RNG(s), n=8, trials=5) for s in range(8)]
    assert any_discovery(GraphicalLasso(), worlds) >= 1


@pytest.mark.parametrize("n", [4, 8, 16])
def test_stable_edges_are_seldom_found_among_independent_units(n):
    # one false edge is allowed for on average; the bound is loose. P(more than 2 of 6 | .1) = .016
    method = GraphicalLasso(selection="stability", subsamples=15)
    worlds = [
        *(poisson_spikes(RNG(s), n=n, trials=5) for s in range(2)),
        *(bursty_spikes(RNG(s), n=n, trials=10) for s in range(2)),
        *(slow_signals(RNG(s), n=n, trials=10, samples=100) for s in range(2)),
    ]
    assert any_discovery(method, worlds) <= 2


def test_two_units_are_too_few_to_bound_false_edges():
    world = of_signal(RNG(6).normal(size=(1, 200, 2)))
    assert _analyse(world).estimate["score"].shape == (2, 2)
    assert "1 pairs are too few" in _analyse(world, STABLE).abstained


def test_twins_are_no_answer_and_constant_traces_are_nobodys():
    x = RNG(7).normal(size=(4, 100, 4))
    x[:, :, 3] = 0.7
    assert not _analyse(of_signal(x)).estimate["decided"][3].any()
    assert "ever change" in _analyse(of_signal(np.full((4, 100, 3), 0.7))).abstained
    x[:, :, 1] = x[:, :, 0]
    finding = _analyse(of_signal(x))
    assert "twins" in finding.abstained or np.isfinite(finding.estimate["score"]).all()
