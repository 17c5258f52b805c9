"""Chains, rotations and driven sequences: what the equations say, found again in what they do."""

from __future__ import annotations

import numpy as np
import pytest

from circuits.rhythms.condition_sequences import ConditionSequences
from circuits.rhythms.independent_fluctuations import IndependentFluctuations
from circuits.rhythms.rate_sequence import RateSequence
from circuits.rhythms.rotational_dynamics import RotationalDynamics
from circuits.rhythms.synfire_chain import SynfireChain
from simlab.contracts import SimlabError
from simlab.data import bin_spikes, mean_rates
from simlab.session import Session, Stimulus

RNG = np.random.default_rng


def test_stages_of_a_chain_follow_gamma_densities() -> None:
    circuit = RateSequence(noise=0.0, n_stages=10)
    subject = circuit.subject(RNG(1))
    rate = subject.run(subject.session(trials=1, duration=1.5, rng=RNG(2)), RNG(3))["rate"].values[0]
    times = np.arange(len(rate)) * circuit.sample_interval + circuit.sample_interval / 2
    tau = circuit.time_constant
    for k in (2, 5, 9):
        seen = rate[:, subject.stage == k].mean(axis=1) - circuit.baseline
        # mean delay of stage k: k + 1 time constants after the pulse's middle; variance tau^2 (k + 1) + that of the
        # pulse
        delay = float(times @ seen / seen.sum())
        spread = float((times - delay) ** 2 @ seen / seen.sum())
        assert delay == pytest.approx((k + 1) * tau + circuit.go_duration / 2, rel=0.03)
        assert spread == pytest.approx((k + 1) * tau**2 + circuit.go_duration**2 / 12, rel=0.1)
    assert np.abs(np.linalg.eigvals(subject.weights)).max() < 1e-6  # nilpotent: nothing comes back


def test_a_volley_runs_down_the_pools_at_the_pace_of_delay_and_rise_and_ends() -> None:
    circuit = SynfireChain()
    subject = circuit.subject(RNG(1))
    activity = subject.run(subject.session(trials=20, duration=0.5, rng=RNG(2)), RNG(3))
    counts = bin_spikes(activity, 2e-3).values
    courses = np.stack([counts[:, :, subject.pool == k].sum(axis=2).mean(axis=0) for k in range(20)])
    peaks = courses.argmax(axis=1) * 2e-3
    assert (np.diff(peaks) > 0).all()
    assert 5e-3 < np.diff(peaks).mean() < 8e-3  # delay, and the time that a volley needs to reach threshold
    fired = np.array([[counts[t][:, subject.pool == k].any(axis=0).mean() for k in range(20)] for t in range(20)])
    assert fired[:, -1].mean() > 0.9  # the volley arrives
    after = counts[:, 125:].sum() / (20 * 0.25 * 160)
    assert after < 1.0  # Hz: and is over then
    silent = subject.run(Session(10, 0.5), RNG(4))
    assert mean_rates(silent).mean() < 1.0  # without a go there is none


@pytest.mark.parametrize("circuit", [SynfireChain(), RateSequence()], ids=lambda c: c.name)
def test_a_chain_is_shown_a_go_and_nothing_else(circuit) -> None:
    subject = circuit.subject(RNG(1))
    session = Session(1, 0.1, Stimulus(("angle",), np.zeros((1, 1, 1)), 0.1))
    with pytest.raises(SimlabError, match="one feature, 'go'"):
        subject.run(session, RNG(2))
    assert str(subject.truth("dynamics", None, RNG(0))["label"].values) == "feedforward sequence"


def test_rotations_are_those_of_the_matrix_exponential_and_have_its_frequencies() -> None:
    circuit = RotationalDynamics()
    subject = circuit.subject(RNG(1))
    eigenvalues = np.linalg.eigvals(subject.network.jacobian(subject.resting))
    turning = np.sort(np.unique(np.abs(eigenvalues.imag[np.abs(eigenvalues.imag) > 1]).round(3))) / (2 * np.pi)
    np.testing.assert_allclose(turning, circuit.frequencies, rtol=1e-3)
    assert eigenvalues.real.max() == pytest.approx(-1 / circuit.decay, rel=1e-6)
    assert str(subject.truth("dynamics", None, RNG(0))["label"].values) == "fixed point"
    activity = subject.run(subject.session(trials=240, duration=0.6, rng=RNG(2)), RNG(3))
    counts = bin_spikes(activity, 0.05).values / 0.05
    expected = np.maximum(subject.expected((np.arange(12) + 0.5) * 0.05), 0)
    condition = np.asarray(activity["condition"])
    seen = np.stack([counts[condition == c].mean(axis=0) for c in range(circuit.n_conditions)])
    # 20 trials of 50 ms at 20 Hz: a standard error of 4.5 Hz, beside a modulation of some 6 Hz
    assert np.corrcoef((seen - seen.mean(0)).ravel(), (expected - expected.mean(0)).ravel())[0, 1] > 0.6
    assert np.abs((seen - expected).mean()) < 0.5


def test_sequences_match_rates_and_variance_and_every_condition_has_the_same_order() -> None:
    twin_of = RotationalDynamics()
    rival, twin = (c.subject(RNG(1)) for c in (ConditionSequences().imitating(twin_of), twin_of))
    times = (np.arange(160) + 0.5) * 5e-3
    ours, theirs = (np.maximum(s.expected(times), 0) for s in (rival, twin))
    assert ours.mean() == pytest.approx(theirs.mean(), rel=0.1)  # rates are cut at zero
    assert np.corrcoef(ours.mean(axis=(0, 1)), theirs.mean(axis=(0, 1)))[0, 1] > 0.95
    assert ours.std(axis=(0, 1)).mean() == pytest.approx(theirs.std(axis=(0, 1)).mean(), rel=0.1)
    raw = rival.expected(times) - rival.resting
    strong = np.abs(rival.sizes) > 1
    peaks = times[np.abs(raw).argmax(axis=1)]
    np.testing.assert_allclose(peaks[strong], np.broadcast_to(rival.peak, peaks.shape)[strong], atol=5e-3)
    assert str(rival.truth("dynamics", None, RNG(0))["label"].values) == "driven"


def test_smooth_noise_is_independent_of_variance_one_and_repeats() -> None:
    subject = IndependentFluctuations(n_neurons=300).subject(RNG(1))
    courses = subject.courses(100)
    assert courses.var() == pytest.approx(1.0, rel=0.15)
    between = np.corrcoef(courses[50:51].T.ravel()[:-1], courses[50:51].T.ravel()[1:])[0, 1]
    assert abs(between) < 0.2
    activity = subject.run(Session(2, 1.0), RNG(2))
    rate = activity["rate"].values
    assert np.corrcoef(rate[0].ravel(), rate[1].ravel())[0, 1] > 0.7
