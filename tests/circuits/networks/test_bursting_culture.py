"""The bursting culture: bursts as often as asked for, quiet in between, and the wiring that its truth states."""

from functools import cache

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d
from spiking_bench import fired, kick_session

import simlab
from circuits.networks.bursting_culture import BurstingCulture, bursts
from simlab.contracts import SimlabError
from simlab.session import Session
from simlab.streams import stream

TRIALS, DURATION = 8, 50.0


@cache
def culture():
    return BurstingCulture().subject(stream(1, "subject"))


@cache
def columns():
    """(trial, time, neuron) of 400 s with another noise than the one that the weight was found with."""
    activity = culture().run(Session(TRIALS, DURATION), stream(1, "run"))
    return tuple(activity[f"spike_{name}"].values for name in ("trial", "time", "neuron"))


@cache
def found():
    return bursts(*columns(), 100)


def around(before, after):
    """(burst, spike) mask of the spikes from `before` the start of each burst to `after` it [s]."""
    trial, time, _ = columns()
    since = time - found()[:, 1:]
    return (trial == found()[:, :1]) & (since >= -before) & (since < after)


def test_it_keeps_the_contract():
    assert simlab.check(BurstingCulture(weight=0.04), raises=False).ok


def durations():
    """(burst,) [s], from a fifth of the peak rate to a fifth of it, smoothed by 10 ms (Wagenaar et al. 2006)."""
    seconds = []
    for mine, (_, start) in zip(around(0.3, 0.7), found(), strict=True):
        counts = np.bincount(((columns()[1][mine] - start + 0.3) / 1e-3).astype(int), minlength=1000)
        rate = gaussian_filter1d(counts.astype(float), 10)
        seconds.append(np.count_nonzero(rate > 0.2 * rate.max()) * 1e-3)
    return np.array(seconds)


def test_a_burst_lasts_as_long_as_in_a_dish():
    # Fast currents alone: 0.04 s. Published: 0.1 to 0.5 s (Wagenaar et al. 2006; Teppola et al. 2019).
    inside = (found()[:, 1] > 0.3) & (found()[:, 1] < DURATION - 0.7)
    assert np.all((durations()[inside] > 0.1) & (durations()[inside] < 0.5))
    assert np.median(durations()[inside]) == pytest.approx(0.24, rel=0.15)  # six wirings: 0.234 to 0.245


def test_in_a_burst_neurons_fire_below_100_hz():
    trial, time, neuron = columns()
    order = np.lexsort((time, neuron, trial))
    same = (np.diff(trial[order]) == 0) & (np.diff(neuron[order]) == 0)
    assert np.diff(time[order])[same].min() > 0.0095


def test_network_bursts_come_at_the_rate_that_the_weight_was_adapted_to():
    # 40 expected: +- 16%, on a weight known from 40 others: +- 16%, and to within 1.7%: +- 17%. Six seeds: 37 to 55.
    assert len(found()) / (TRIALS * DURATION) == pytest.approx(0.1, rel=0.6)


def test_almost_all_neurons_fire_in_every_burst_several_times_each():
    spikes, neuron = around(0.1, 0.5), columns()[2]
    taking_part = [len(np.unique(neuron[mine])) for mine in spikes]
    assert min(taking_part) >= 95
    assert 3 < spikes.sum() / len(found()) / 100 < 15


def test_between_bursts_neurons_are_quiet_and_fire_by_their_own_noise_and_a_little_by_synapses():
    outside = ~around(0.1, 0.5).any(axis=0)
    seconds = TRIALS * DURATION - 0.6 * len(found())
    alone = BurstingCulture(weight=0.0).subject(stream(1, "subject")).run(Session(4, 50.0), stream(1, "run"))
    noise = alone.sizes["spike"] / 100 / 200  # Hz
    # A shot finds another within 35 ms before it in 5% of cases: 1.6 Hz x 0.05.
    assert noise == pytest.approx(0.08, rel=0.1)  # 1600 spikes: +- 2.5%, the 35 ms are approximate
    assert noise < outside.sum() / 100 / seconds < 3 * noise
    trial, time, neuron = (column[outside] for column in columns())
    cell = np.bincount(neuron + 100 * trial, minlength=100 * TRIALS)
    # Poisson, but neurons with more contacts fire more. Small bursts would make it 5 and more.
    assert 0.9 < cell.var() / cell.mean() < 2
    assert time.max() > 0.9 * DURATION


def test_a_burst_ends_because_synapses_tire():
    """The depression that is left after twelve spikes would keep a burst going if they did not."""
    tireless = BurstingCulture(weight=float(culture().weights.max()), recovery=1e-3)
    activity = tireless.subject(stream(1, "subject")).run(Session(4, 10.0), stream(1, "run"))
    assert activity.sizes["spike"] / (100 * 40.0) > 50  # Hz: once begun, a burst never ends


def test_the_weight_belongs_to_the_wiring_and_comes_again():
    again = BurstingCulture().subject(stream(1, "subject"))
    assert np.array_equal(again.weights, culture().weights)
    values = np.unique(culture().weights)
    assert len(values) == 2
    assert values[0] == 0
    assert 0.05 < values[1] < 0.07
    assert abs((culture().weights > 0).sum() / 9900 - 0.12) < 0.013  # +- 0.0033


def test_bursts_are_found_where_a_crowd_fires_and_not_across_trials():
    trial = np.repeat([0, 0, 1], 50)
    time = np.repeat([1.0, 1.06, 0.0], 50)  # two bins of one burst; one at the very start of the next trial
    neuron = np.tile(np.arange(50), 3)
    assert bursts(trial, time, neuron, 100).tolist() == [[0, 1.0], [1, 0.0]]
    assert len(bursts(trial, time, neuron, 130)) == 0
    assert bursts(trial[:0], time[:0], neuron[:0], 100).shape == (0, 2)


def test_a_spike_of_each_neuron_fires_just_the_neurons_that_the_truth_names():
    """Without noise all are held just below threshold; one is made to fire, and its targets follow after the delay."""
    circuit = BurstingCulture(n_neurons=30, connection_probability=0.2, shot_rate=0.0, weight=0.03, dt=1e-4)
    subject = circuit.subject(np.random.default_rng(5))
    activity = subject.run(kick_session(np.full(30, 0.999)), np.random.default_rng(0))
    assert np.array_equal(fired(activity, 0.25, 0.3015), np.eye(30, dtype=bool))
    truth = subject.truth("connectivity", None, np.random.default_rng(0))["weight"]
    assert truth.attrs["units"] == "V"
    assert np.array_equal(fired(activity, 0.3015, 0.303), truth.values > 0)


def test_the_release_of_one_spike_must_be_over_before_the_next():
    with pytest.raises(SimlabError, match=r"below the refractory period of 0.01 s, got 0.02"):
        BurstingCulture(delay=20e-3)
    with pytest.raises(SimlabError, match=r"a quarter of the synaptic time constant, got 0.001"):
        BurstingCulture(dt=1e-3)
    with pytest.raises(LookupError, match="can answer connectivity, got"):
        culture().truth("topology", None, np.random.default_rng(0))
