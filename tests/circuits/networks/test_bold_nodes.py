"""Regions behind BOLD: their wiring by steady state and by pulse, their inputs, and the rival that has none of it."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.linalg import expm

import simlab
from circuits.networks.bold_nodes import CLUSTER, BoldNodes, telegraph, wired
from circuits.networks.shared_input_nodes import SharedInputNodes, covariance
from simlab.contracts import SimlabError
from simlab.session import Effect, Session
from simlab.streams import stream

RNG = np.random.default_rng
QUIET = BoldNodes(noise=0.0, up=0.1, down=1000.0)  # hardly any input: up for 1 s in 10,000


def truth(subject):
    return subject.truth("connectivity", None, RNG(0))["weight"].values


@cache
def subject():
    return QUIET.subject(stream(1, "subject"))


@pytest.mark.parametrize("circuit", [BoldNodes(), SharedInputNodes()])
def test_they_keep_the_contract(circuit):
    assert simlab.check(circuit, raises=False).ok
    with pytest.raises(LookupError, match="can answer connectivity"):
        circuit.subject(RNG(0)).truth("topology", None, RNG(0))


def test_a_ring_of_five_has_five_connections_and_no_cycle():
    weights = truth(subject())
    assert (weights != 0).sum() == CLUSTER
    assert not np.linalg.matrix_power(weights, CLUSTER).any()
    assert ((weights == 0) | ((weights >= 0.2) & (weights <= 0.6))).all()
    touching = (weights + weights.T) != 0
    np.testing.assert_array_equal(touching.sum(axis=0), 2)  # a ring, whichever way its connections point


def test_more_rings_are_joined_by_one_connection_each():
    mask = wired(50, 0.2, RNG(2))
    assert mask.sum() == 10 * CLUSTER + 10
    assert not mask.diagonal().any()
    strong = BoldNodes(n_nodes=50, weight=0.6, weight_spread=0.0)
    radius = [np.abs(np.linalg.eigvals(strong.subject(RNG(s)).weights)).max() for s in range(40)]
    assert max(radius) < 1  # stable even with the strongest weights


def test_weights_have_the_stated_mean_and_spread():
    found = np.concatenate([w[w != 0] for w in (truth(BoldNodes(n_nodes=50).subject(RNG(s))) for s in range(20))])
    # 1200 normal numbers cut at two deviations: mean .4 +- .0025, deviation .088 +- .002
    assert found.mean() == pytest.approx(0.4, abs=0.01)
    assert found.std() == pytest.approx(0.088, abs=0.008)


def test_a_steady_drive_ends_where_the_inverse_of_the_truth_says():
    drives = tuple(Effect("drive", np.eye(5)[k], 0.0, 2.0, trials=(k,)) for k in range(5))
    rate = subject().run(Session(6, 2.0, perturbations=drives), stream(3, "run"))["rate"].values
    change = rate[:5, -1] - rate[5:, -1]  # (driven, node); 2 s are 40 lags
    np.testing.assert_allclose(change, np.linalg.inv(np.eye(5) - truth(subject())), atol=1e-5)


def test_a_pulse_spreads_as_the_matrix_exponential_of_the_truth():
    drives = tuple(Effect("drive", np.eye(5)[k], 0.5, 0.525, trials=(k,)) for k in range(5))
    rate = subject().run(Session(6, 1.0, perturbations=drives), stream(3, "run"))["rate"].values
    change = rate[:5, 24] - rate[5:, 24]  # mean over 0.6 to 0.625 s
    drift = (truth(subject()).T - np.eye(5)) / 0.05
    onset = np.linalg.solve(drift, expm(0.025 * drift) - np.eye(5)) / 0.05  # z at the end of the pulse, by driven node
    expected = expm(0.0875 * drift) @ onset
    # Euler steps of a tenth of the lag fall short of the exponential by 5% a lag.
    np.testing.assert_allclose(change, expected.T, atol=0.02)
    assert ((change > 0.02) <= (np.linalg.inv(np.eye(5) - truth(subject())) > 1e-9)).all()


def test_cutting_a_connection_and_holding_a_node_are_honoured():
    pre, post = np.argwhere(truth(subject()) > 0)[0]
    pairs = np.ones((5, 5))
    pairs[pre, post] = 0.0
    held = np.full(5, np.nan)
    held[pre] = 3.0
    cut = Effect("gain", pairs, 0.0, 1.0, over="pair", trials=(0,))
    rate = subject().run(Session(2, 1.0, perturbations=(cut, Effect("hold", held, 0.0, 1.0))), RNG(4))["rate"].values
    assert np.all(rate[:, -1, pre] == 3.0)
    assert rate[1, -1, post] > rate[0, -1, post] + 0.5


def test_inputs_are_up_and_down_for_as_long_as_stated():
    circuit = BoldNodes()
    signal = telegraph(circuit, Session(4, 2000.0), 5, RNG(5))
    assert set(np.unique(signal)) == {0.0, 1.0}
    up = np.diff(signal, axis=1).clip(0).sum()
    # 40,000 s hold 3200 +- 45 rises (exponential times: standard deviation .82 of the mean cycle)
    assert up == pytest.approx(40_000 / 12.5, rel=0.06)
    assert signal.mean() == pytest.approx(0.2, abs=0.02)
    assert signal[:, 0].mean() < 0.7  # stationary: not all start alike


def test_the_rival_has_no_wiring_and_its_twins_correlations():
    circuit = BoldNodes()
    twin, rival = (c.subject(stream(6, "subject")) for c in (circuit, SharedInputNodes().imitating(circuit)))
    assert not truth(rival).any()
    np.testing.assert_allclose(rival.loading, rival.loading.T)
    alone = covariance(circuit, np.zeros((1, 1)))[0, 0]
    np.testing.assert_allclose(rival.loading @ rival.loading.T * alone, covariance(circuit, twin.weights), atol=1e-9)
    session = Session(10, 1000.0)
    one, other = (
        np.corrcoef(s.run(session, stream(7, "run"))["rate"].values[:, ::20].reshape(-1, 5).T) for s in (twin, rival)
    )
    scale = np.sqrt(np.diag(covariance(circuit, twin.weights)))
    theory = covariance(circuit, twin.weights) / np.outer(scale, scale)
    # 10,000 s of signals that forget in 2 s: 5,000 independent samples, +- .014
    np.testing.assert_allclose(one, theory, atol=0.05)
    np.testing.assert_allclose(other, theory, atol=0.05)


def test_a_number_of_nodes_that_makes_no_rings_is_refused():
    with pytest.raises(SimlabError, match="n_nodes must be a multiple of 5, got 12"):
        BoldNodes(n_nodes=12)
    assert replace(SharedInputNodes(), like=BoldNodes(n_nodes=10)).like.n_nodes == 10
