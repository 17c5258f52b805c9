import dataclasses

import numpy as np
import pytest
from instrument_bench import poisson_activity, rates_only, spikes_at, tissue
from scipy.integrate import solve_ivp

from simlab.contracts import SimlabError
from simlab.data import activity, anatomy, modality
from simlab.instruments.recording.indicators import INDICATORS, RESTING_CALCIUM
from simlab.instruments.recording.two_photon import TwoPhoton
from simlab.session import Session

RNG = np.random.default_rng
ONE = anatomy(np.zeros((1, 3)), ["E"])
CLEAN = {"noise_level": 0.0, "neuropil": 0.0, "bleaching": np.inf}


def trace(times, *, indicator="gcamp6f", duration=4.0, frame_rate=1000.0, **parameters):
    """(time, dF/F) of one neuron in one trial, minus the level that its trial starts from."""
    scope = TwoPhoton(indicator=indicator, frame_rate=frame_rate, **{**CLEAN, **parameters})
    recording = scope.implant(ONE, RNG(0)).record(spikes_at(times, duration=duration), RNG(1))
    return recording["sample_time"].values, recording["signal"].values[0, :, 0]


@pytest.mark.parametrize("name", sorted(INDICATORS))
def test_one_spike_shows_the_published_peak_rise_and_decay(name):
    indicator = INDICATORS[name]
    # A long trial, so that the mean level that it starts from has gone when the spike comes.
    time, signal = trace([10.0], indicator=name, duration=15.0)
    peak = signal.argmax()
    assert signal[peak] == pytest.approx(indicator.transient, rel=0.01)
    assert time[peak] - 10.0 == pytest.approx(indicator.time_to_peak, abs=2e-3)
    half = time[peak:][signal[peak:] < signal[peak] / 2][0]
    assert half - time[peak] == pytest.approx(indicator.half_decay, abs=2e-3)


def test_a_spike_of_gcamp6f_is_as_published_and_its_calcium_too():
    """Chen et al. 2013: 19 +- 2.8% per spike, 45 +- 4 ms to the peak, 142 +- 11 ms to half (from memory). Calcium:
    transients of about 100 nM, gone within tens of milliseconds (Helmchen et al. 1996, from memory)."""
    time, signal = trace([10.0], duration=15.0)
    peak = signal.argmax()
    half = time[peak:][signal[peak:] < signal[peak] / 2][0]
    assert 0.162 < signal[peak] < 0.218
    assert 0.041 < time[peak] - 10.0 < 0.049
    assert 0.131 < half - time[peak] < 0.153
    calcium = INDICATORS["gcamp6f"].kinetics
    assert 50e-9 < calcium.step * RESTING_CALCIUM < 150e-9
    assert 10e-3 < calcium.calcium_decay < 50e-3
    assert 3.0 < calcium.off_rate < 8.0  # of the protein: about 4/s at room temperature (ibid.), more at 37 degrees


def test_bursts_sum_supralinearly_until_they_saturate():
    def peak(n_spikes, rate, name="gcamp6f"):
        train = list(10 + np.arange(n_spikes) / rate)
        return trace(train, indicator=name, duration=15.0)[1].max() / INDICATORS[name].transient

    assert 2.1 < peak(2, 100.0) < 4  # 2 would be linear; calcium alone, squared, would be 4
    assert peak(3, 100.0) > 1.5 * peak(2, 100.0)
    # Ten spikes at 83 Hz, the protocol of Chen et al. 2013 in culture: 3 dF/F of GCaMP6f, 7 of GCaMP6s (from memory).
    assert 10 < peak(10, 83.0) < 25
    assert 20 < peak(10, 83.0, "gcamp6s") < 45
    long = trace(list(5 + np.arange(800) / 160), duration=12.0)[1].max()
    assert long < INDICATORS["gcamp6f"].saturation


@pytest.mark.parametrize("name", ["gcamp6f", "jgcamp8m"])
def test_fluorescence_is_that_of_the_equations_solved_by_other_means(name):
    """A solver with adaptive steps, calcium summed over spikes one by one."""
    indicator, times = INDICATORS[name], np.array([1.0, 1.013, 1.4, 1.405, 1.41, 2.5001])
    k = indicator.kinetics

    def rate(t, bound):
        late = t - times[times <= t]
        x = 1 + k.step * np.exp(-late / k.calcium_decay).sum()
        return k.off_rate * ((x / indicator.dissociation) ** indicator.hill * (1 - bound) - bound)

    time, signal = trace(list(times), indicator=name, frame_rate=50.0)
    later = (time > 1.0) & (time < 2.8)  # by then the mean level that the trace starts from has gone
    when = {"t_eval": time[later], "max_step": 2e-3}
    solved = solve_ivp(rate, (0.9, 2.8), [indicator.resting], rtol=1e-7, atol=1e-9, **when)
    expected = indicator.brightness(solved.y[0])
    np.testing.assert_allclose(signal[later], expected, atol=0.01 * expected.max())


@pytest.mark.parametrize("name", sorted(INDICATORS))
def test_fluorescence_grows_with_calcium_and_saturates(name):
    indicator = INDICATORS[name]
    levels = indicator.brightness(indicator.bound(np.array([0.0, 1.0, 2.0, 10.0, 1e3, 1e6])))
    assert levels[0] == pytest.approx(0.0)
    assert (np.diff(levels) > 0).all()
    assert levels[-1] == pytest.approx(indicator.saturation, rel=1e-3)


def test_kinetics_that_no_calcium_transient_gives_are_refused():
    sudden = dataclasses.replace(INDICATORS["gcamp6f"], time_to_peak=0.141)  # it peaks as late as it decays
    with pytest.raises(SimlabError, match="no calcium transient gives this transient, time_to_peak and half_decay"):
        _ = sudden.kinetics


def test_a_fast_train_adds_less_per_spike_once_the_indicator_saturates():
    few = trace(list(10 + np.arange(5) * 0.005), indicator="jgcamp8m", duration=12.0)[1].max()
    many = trace(list(10 + np.arange(50) * 0.005), indicator="jgcamp8m", duration=12.0)[1].max()
    assert few < many < 4 * few
    assert many < INDICATORS["jgcamp8m"].saturation


def test_traces_are_the_same_whatever_the_frame_rate():
    times = [1.0, 1.013, 1.4, 2.5001]
    fine, coarse = trace(times, frame_rate=3000.0), trace(times, frame_rate=30.0)
    at_frames = np.interp(coarse[0], *fine)
    np.testing.assert_allclose(coarse[1], at_frames, atol=0.01 * fine[1].max())  # see calcium.STEPS


def test_calcium_left_over_from_one_trial_decays_into_the_next():
    spikes = (np.array([0]), np.array([1.99]), np.array([0]))
    scope = TwoPhoton(indicator="gcamp6s", frame_rate=1000.0, **CLEAN)
    seen = scope.implant(ONE, RNG(0)).record(activity(Session(2, 2.0), 1, spikes=spikes), RNG(1))
    both = seen["signal"].values[:, :, 0].ravel()
    assert both[2000:2400].max() > 0.2
    assert np.abs(np.diff(both[1995:2400])).max() < 0.01  # no jump from trial to trial


def test_mean_calcium_is_the_same_at_the_start_of_trials_as_later():
    seen = TwoPhoton(indicator="gcamp6s", **CLEAN).implant(tissue(50), RNG(0)).record(
        poisson_activity(50, trials=40, duration=4.0), RNG(1)
    )  # fmt: skip
    early = seen["signal"].values[:, :10].mean()
    late = seen["signal"].values[:, -10:].mean()
    # 50 x 40 independent traces whose deviation is about their mean: 2% standard error each, 4 of the difference.
    assert early == pytest.approx(late, rel=0.12)


@pytest.mark.parametrize(("level", "frame_rate"), [(1.0, 30.0), (4.0, 10.0)])
def test_shot_noise_has_the_stated_standardised_level(level, frame_rate):
    silent = activity(Session(20, 30.0), 1, spikes=(np.array([], int), np.array([]), np.array([], int)))
    scope = TwoPhoton(noise_level=level, frame_rate=frame_rate, neuropil=0.0, bleaching=np.inf)
    steps = np.diff(scope.implant(ONE, RNG(0)).record(silent, RNG(1))["signal"].values[:, :, 0], axis=1)
    measured = 100 * np.median(np.abs(steps)) / np.sqrt(frame_rate)
    # 6000 or more steps: the median's standard error is about 1.2 / sqrt(6000) = 1.5%; four of them.
    assert measured == pytest.approx(level, rel=0.06)


def test_noise_grows_as_the_baseline_bleaches():
    silent = activity(Session(20, 30.0), 1, spikes=(np.array([], int), np.array([]), np.array([], int)))
    noise = TwoPhoton(neuropil=0.0, bleaching=300.0).implant(ONE, RNG(0)).record(silent, RNG(1))
    deviation = noise["signal"].values[:, :, 0].std(axis=1)
    # Photons left after 285 s of bleaching: variance grows by exp(570 / 300) from the middle of trial 0 to 19.
    # Each deviation is known to 1 / sqrt(2 x 900) = 2.4%; four of their ratio is 13%.
    assert deviation[-1] / deviation[0] == pytest.approx(np.exp(570 / 600), rel=0.14)


def test_brighter_frames_are_noisier():
    clean = trace(list(np.arange(0, 4, 0.02)), frame_rate=100.0)[1]
    noisy = trace(list(np.arange(0, 4, 0.02)), frame_rate=100.0, noise_level=2.0)[1]
    dim = np.sqrt(100.0) * 2.0 / (100 * np.sqrt(2) * 0.6745)
    # 400 frames: the deviation is known to 3.5%; four of them.
    assert (noisy - clean)[50:].std() == pytest.approx(dim * np.sqrt(1 + clean[50:].mean()), rel=0.15)


def test_neuropil_mixes_neighbours_in_the_proportions_of_the_key():
    place = np.array([[0, 0, 0], [20e-6, 0, 0], [300e-6, 0, 0]])
    three = anatomy(place, ["E"] * 3)
    scope = TwoPhoton(neuropil=0.5, noise_level=0.0, bleaching=np.inf, frame_rate=100.0)
    implant = scope.implant(three, RNG(0))
    key = implant.key.values
    np.testing.assert_allclose(key.sum(axis=1), 1.0)
    np.testing.assert_allclose(np.diag(key), 1 / 1.5)
    assert key[0, 1] > 100 * key[0, 2]
    seen = implant.record(spikes_at([1.0], n_neurons=3), RNG(1))["signal"].values[0]
    # Neuron 0 alone fires: each unit's peak goes with neuron 0's share in it.
    np.testing.assert_allclose(seen.max(axis=0) / seen.max(), key[:, 0] / key[0, 0], atol=0.02)


def test_single_spikes_stand_out_of_the_noise_of_a_good_recording_only():
    """At level 1, 30 Hz, the peak of a GCaMP6f spike is 3 noise deviations; at level 8 it drowns."""
    deviation = {level: level * np.sqrt(30) / (100 * np.sqrt(2) * 0.6745) for level in (1.0, 8.0)}
    assert INDICATORS["gcamp6f"].transient / deviation[1.0] > 3
    assert INDICATORS["gcamp6f"].transient / deviation[8.0] < 0.5


def test_scattered_light_is_that_of_stetter_2012():
    place = np.array([[0, 0, 0], [60e-6, 0, 0], [150e-6, 0, 0]])
    scope = TwoPhoton(**CLEAN, scattering_strength=0.15, scattering_length=150e-6, frame_rate=100.0)
    implant = scope.implant(anatomy(place, ["E"] * 3), RNG(0))
    expected = 0.15 * np.exp(-(np.array([60, 90, 150]) ** 2) / 150.0**2)
    np.testing.assert_allclose(implant.mixing[[0, 1, 0], [1, 2, 2]], expected)
    np.testing.assert_allclose(np.diag(implant.mixing), 1.0)
    seen = implant.record(spikes_at([1.0], n_neurons=3), RNG(1))["signal"].values[0].max(axis=0)
    np.testing.assert_allclose(seen[1:] / seen[0], expected[[0, 2]], rtol=0.02)


def test_imaging_a_few_of_many_neurons():
    implant = TwoPhoton(n_units=7).implant(tissue(30), RNG(0))
    assert implant.key.sizes == {"unit": 7, "neuron": 30}
    assert len(set(implant.key.values.argmax(axis=1))) == 7


def test_blocks_of_neurons_change_nothing(monkeypatch):
    scope, seen = TwoPhoton(), poisson_activity(30, trials=3)
    whole = scope.implant(tissue(30), RNG(0)).record(seen, RNG(1))
    monkeypatch.setattr("simlab.instruments.recording.calcium.BLOCK", 5000)
    pieces = scope.implant(tissue(30), RNG(0)).record(seen, RNG(1))
    np.testing.assert_allclose(whole["signal"], pieces["signal"], rtol=1e-4, atol=1e-5)


def test_two_photon_needs_spikes():
    with pytest.raises(SimlabError, match=r"two_photon needs spikes.*use the instruments perfect or subsample"):
        TwoPhoton().implant(tissue(5), RNG(0)).record(rates_only(5), RNG(0))


def test_a_trial_shorter_than_a_frame_is_refused():
    with pytest.raises(SimlabError, match="at least one frame"):
        TwoPhoton(frame_rate=5.0).implant(ONE, RNG(0)).record(spikes_at([0.05], duration=0.1), RNG(0))


@pytest.mark.parametrize(
    "bad", [{"indicator": "gcamp99"}, {"frame_rate": 0.0}, {"noise_level": -1.0}, {"n_units": 0}, {"bleaching": 0.0}]
)
def test_two_photon_refuses_impossible_parameters(bad):
    with pytest.raises(SimlabError, match=next(iter(bad))):
        TwoPhoton(**bad)


def test_an_indicator_of_ones_own_serves():
    slow = dataclasses.replace(INDICATORS["gcamp6f"], half_decay=1.0)
    time, signal = trace([10.0], indicator=slow, duration=20.0)
    half = time[signal.argmax() :][signal[signal.argmax() :] < signal.max() / 2][0]
    assert half - time[signal.argmax()] == pytest.approx(1.0, rel=0.12)


def test_an_indicator_that_one_spike_would_saturate_is_refused():
    with pytest.raises(SimlabError, match="below saturation"):
        dataclasses.replace(INDICATORS["jgcamp8m"], dissociation=0.3)


def test_the_signal_says_what_it_is_and_in_which_units():
    seen = TwoPhoton().implant(ONE, RNG(0)).record(spikes_at([1.0]), RNG(0))
    assert seen["signal"].dims == ("trial", "sample", "unit")
    assert seen["signal"].attrs == {"modality": "fluorescence", "units": "dF/F"}
    assert modality(seen) == "fluorescence"
