"""Random and low-rank rate networks: what is said of their dynamics comes out when they are simulated."""

import numpy as np
import pytest

import simlab
from circuits.states.chaotic_rates import ChaoticRates
from circuits.states.low_rank import LowRank
from simlab.session import Session
from simlab.simulators.rates import settle

RNG = np.random.default_rng


def told(subject):
    return subject.truth("dynamics", None, RNG(5))


@pytest.mark.slow  # a compilation for each effect
@pytest.mark.parametrize("circuit", [ChaoticRates(n_neurons=40), LowRank(n_neurons=40, overlaps=(2.0, 0.5))])
def test_it_keeps_the_contract(circuit):
    assert simlab.check(circuit).ok


def test_above_the_transition_neighbours_part_at_the_rate_of_the_lyapunov_exponent():
    subject = ChaoticRates(n_neurons=120).subject(RNG(2))
    tau, truth = 0.05, told(subject)
    assert str(truth["label"].values) == "chaos"
    start = settle(subject.network, RNG(3).uniform(-1, 1, (8, 120)), duration=3.0, dt=tau / 10)
    near = start + 1e-9 * RNG(4).standard_normal(start.shape)
    ends = [settle(subject.network, states, duration=60 * tau, dt=tau / 10) for states in (start, near)]
    parted = np.log(np.linalg.norm(ends[0] - ends[1], axis=1) / np.linalg.norm(near - start, axis=1)) / (60 * tau)
    # The push needs a few time constants to turn into the direction that grows: eight paths, about .02 / tau apart.
    assert parted.mean() == pytest.approx(float(truth["lyapunov_exponent"]), abs=0.05 / tau)


def test_below_the_transition_all_activity_dies_and_the_exponent_is_the_slowest_eigenvalue():
    subject = ChaoticRates(n_neurons=120, gain=0.6).subject(RNG(2))
    truth = told(subject)
    slowest = np.linalg.eigvals(subject.weights).real.max() - 1
    assert str(truth["label"].values) == "fixed point"
    assert float(truth["lyapunov_exponent"]) * 0.05 == pytest.approx(slowest, abs=0.05)
    rate = subject.run(Session(3, 0.5), RNG(3))["rate"].values
    assert np.abs(rate).max() < 1e-3


@pytest.mark.parametrize(("overlap", "label"), [(0.3, "fixed point"), (2.0, "bistable")])
def test_the_fixed_points_of_rank_one_are_those_of_the_mean_field(overlap, label):
    subject = LowRank(n_neurons=300, overlaps=(overlap,)).subject(RNG(2))
    assert str(told(subject)["label"].values) == label
    # K = <n tanh(K m)>, solved by iteration over this subject's own vectors
    factor = 3.0
    for _ in range(500):
        factor = float(np.mean(subject.taken[:, 0] * np.tanh(factor * subject.given[:, 0])))
    found = np.abs(subject.rests(RNG(5)) @ subject.taken[:, 0] / 300)
    np.testing.assert_allclose(found, factor, atol=1e-3)


def test_activity_is_a_function_of_as_many_factors_as_the_rank():
    subject = LowRank(n_neurons=100, overlaps=(1.5, 0.5), noise=0.0, input_time_constant=5.0).subject(RNG(2))
    rate = subject.run(Session(20, 1.0), RNG(3))["rate"].values.reshape(-1, 100).astype(float)
    # With slow inputs x follows tanh(m (K + u)): its arctanh spans the two vectors m alone.
    inner = np.arctanh(np.clip(rate, -0.999, 0.999))
    power = np.linalg.svd(inner - inner.mean(axis=0), compute_uv=False) ** 2
    assert power[:2].sum() / power.sum() > 0.95
