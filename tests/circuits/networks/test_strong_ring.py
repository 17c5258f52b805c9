"""The strongly coupled ring: its published patterns, and the wiring that its truth states."""

from dataclasses import replace
from functools import cache
from statistics import NormalDist

import numpy as np
import pytest
from spiking_bench import count_correlations, interval_cvs

import simlab
from circuits.networks.strong_ring import StrongRing
from simlab.contracts import SimlabError
from simlab.data import bin_spikes, mean_rates
from simlab.session import Effect, Session
from simlab.streams import stream


def ring(**changes):
    return StrongRing(**changes).subject(stream(1, "subject"))


@cache
def spontaneous(strength):
    return ring(strength=strength).run(Session(6, 1.0), stream(1, "run"))


def spatial_modes(activity):
    """(mode,) share of the power of the counts around the ring, the mean left out."""
    power = (np.abs(np.fft.rfft(bin_spikes(activity, 0.02).values, axis=-1)) ** 2).mean(axis=(0, 1))
    return power[1:] / power[1:].sum()


def test_it_keeps_the_contract():
    assert simlab.check(StrongRing(), raises=False).ok


def test_the_fourier_transform_of_the_weights_peaks_at_four_periods_around_the_ring():
    circuit = StrongRing()
    w1, w2, a = circuit.narrow_width, circuit.broad_width, circuit.broad_height
    k = np.sqrt(2 * np.log(a * w2**3 / w1**3) / (w2**2 - w1**2))
    assert 100 * k / (2 * np.pi) == pytest.approx(4.06, abs=0.005)  # Das & Fiete 2020: 4.06
    weights = ring().weights
    np.testing.assert_array_equal(weights, np.roll(np.roll(weights, 1, axis=0), 1, axis=1))
    spectrum = np.fft.rfft(weights[0]).real
    assert spectrum.argmax() == 4
    assert spectrum[4] > 0  # a pattern of four periods holds itself up


@pytest.mark.parametrize("strength", [0.015, 0.025, 0.035])
def test_strongly_coupled_activity_has_four_periods(strength):
    share = spatial_modes(spontaneous(strength))
    assert share.argmax() + 1 == 4
    others = np.delete(share, np.arange(3, 50, 4))  # bumps are no sinusoids: their overtones are theirs
    assert share[3] > 5 * others.max()  # 0.3 to 0.5 against at most 0.05
    assert 0.25 < share[3] < 0.7


def test_uncoupled_neurons_have_no_pattern_and_far_ones_correlate_only_in_one():
    assert spatial_modes(spontaneous(0.0)).max() < 0.035  # 50 modes, each 0.02 of 300 samples: +- 0.0012
    alone, strong = (count_correlations(spontaneous(r), 0.02) for r in (0.0, 0.025))
    assert abs(alone.mean()) < 0.003  # 300 bins, 4950 pairs: 0 +- 0.0008
    distance = np.subtract.outer(np.arange(100), np.arange(100))[np.triu_indices(100, 1)] % 100
    # Half the ring apart, twice the pattern's period: no synapse, yet they fire together.
    far, between = strong[np.abs(distance - 50) < 3], strong[np.abs(distance - 62) < 3]
    assert far.mean() > between.mean() + 0.1
    assert not ring().weights[0, 47:54].any()


@pytest.mark.parametrize("strength", [0.0, 0.005, 0.015, 0.025, 0.035, 0.04])
def test_thresholds_keep_the_rate_whatever_the_strength(strength):
    # The authors tuned theirs to one rate. 6 s of 100 neurons at 62 Hz: +- 0.5%, more in a pattern.
    assert mean_rates(spontaneous(strength)).mean() == pytest.approx(62.5, rel=0.05)


def test_without_coupling_intervals_are_those_of_chance_at_the_rate_of_the_noise():
    activity, circuit, normal = spontaneous(0.0), StrongRing(strength=0.0), NormalDist()
    beyond = (circuit.limit / circuit.bias - 1) / circuit.noise
    expected = (1 - normal.cdf(circuit.gate)) * (1 - normal.cdf(beyond)) / circuit.dt
    assert mean_rates(activity).mean() == pytest.approx(expected, rel=0.02)
    assert interval_cvs(activity).mean() == pytest.approx(1.0, abs=0.04)


def test_a_neuron_that_fires_more_quietens_just_those_that_the_truth_says_it_inhibits():
    """Weak coupling, so that a change stays one synapse away: one neuron is held at 500 Hz, or silent."""
    circuit = StrongRing(strength=0.002, burn_in=0.1)
    subject = circuit.subject(stream(2, "subject"))
    changes = []
    for rate in (0.0, 500.0):
        hold = Effect("hold", np.where(np.arange(100) == 30, rate, np.nan), 0.0, 0.5)
        counts = bin_spikes(subject.run(Session(60, 0.5, perturbations=(hold,)), stream(2, "run")), 0.5).values
        changes.append(counts.sum(axis=(0, 1)) / 30.0)
    change = np.delete(changes[1] - changes[0], 30)  # Hz
    truth = subject.truth("connectivity", None, np.random.default_rng(0))["weight"].values
    told = np.delete(truth[30], 30)
    # Linear response about the mean field: 500 Hz x tau = 5 more in the held neuron's s, and all others answer.
    field = circuit.bias + subject.weights[0].sum() * 62.5 * circuit.time_constant
    noise = NormalDist(field, circuit.noise * circuit.bias)
    slope = (1 - NormalDist().cdf(circuit.gate)) * noise.pdf(circuit.limit) / circuit.dt
    rest = np.delete(np.delete(subject.weights, 30, axis=0), 30, axis=1)
    expected = slope * np.linalg.solve(np.eye(99) - slope * circuit.time_constant * rest.T, 5 * told)
    assert np.corrcoef(change, told)[0, 1] > 0.9  # noise of a change: +- 2 Hz
    assert np.polyfit(expected, change, 1)[0] == pytest.approx(1, rel=0.15)
    assert abs(change[told == 0].mean()) < 1.2  # 45 neurons: +- 0.3 Hz, and what the inhibited no longer inhibit
    assert not np.diag(truth).any()
    assert np.array_equal(truth != 0, (subject.weights != 0) & ~np.eye(100, dtype=bool))


def test_cutting_the_synapses_abolishes_the_pattern():
    cut = Effect("gain", np.zeros(100), 0.0, 1.0)
    quiet = Effect("drive", np.full(100, (StrongRing(strength=0.0).limit - 7.35e-4) / -3e-4), 0.0, 1.0)
    activity = ring().run(Session(6, 1.0, perturbations=(cut, quiet)), stream(3, "run"))
    assert spatial_modes(activity)[3] < 0.12  # it takes tau to forget, of 1 s
    assert mean_rates(activity).mean() == pytest.approx(62.5, rel=0.1)


def test_a_strength_without_a_known_threshold_needs_one():
    with pytest.raises(SimlabError, match=r"up to strength 0.05, got strength=0.06"):
        StrongRing(strength=0.06)
    assert replace(StrongRing(), strength=0.06, threshold=4e-4).limit == 4e-4
    with pytest.raises(LookupError, match="can answer connectivity, got"):
        ring().truth("topology", None, np.random.default_rng(0))
