import numpy as np
import pytest
from instrument_bench import origins, poisson_activity, rates_only, tissue, told_apart, unequal_activity

from simlab.contracts import SimlabError
from simlab.data import activity, anatomy, mean_rates
from simlab.data.clock import TICK
from simlab.instruments.placement import make_key, weighted_by_rates
from simlab.instruments.recording.electrodes import Electrodes
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.recording.probe import in_dead_time
from simlab.instruments.recording.two_photon import TwoPhoton
from simlab.session import Session

RNG = np.random.default_rng
CLEAN = {"contamination": 0.0, "merging": 0.0, "false_positive_rate": 0.0, "dead_time": 0.0, "noise": 1e-9}


def test_realised_shares_agree_with_the_key_within_binomial_bands():
    instrument = Electrodes(contamination=0.3, dead_time=0.0, false_positive_rate=0.5)
    implant = instrument.implant(tissue(60), RNG(1))
    seen = told_apart(poisson_activity(60, trials=100, duration=10.0, rate=instrument.reference_rate))
    recording = implant.record(seen, RNG(2))
    unit, neuron = recording["spike_unit"].values, origins(seen, recording)
    z = []
    for u in range(recording.sizes["unit"]):
        mine = neuron[unit == u]
        realised = np.array([(mine == j).mean() for j in range(60)] + [(mine == -1).mean()])
        expected = np.append(implant.key.values[u], 1 - implant.key.values[u].sum())
        tested = expected * len(mine) > 10  # where the binomial is near enough to a Gaussian
        deviation = np.sqrt(expected[tested] * (1 - expected[tested]) / len(mine))
        z += list((realised - expected)[tested] / deviation)
        assert realised[:-1][implant.key.values[u] == 0].sum() == 0
    # Neurons' own counts are Poisson rather than fixed, which the binomial share allows for. With m statistics the
    # largest |z| stays below 4.5 but once in 1e5 m, and their standard deviation is 1 +- 1/sqrt(2m).
    z = np.array(z)
    assert len(z) > 60
    assert np.abs(z).max() < 4.5
    assert abs(z.std() - 1) < 5 / np.sqrt(2 * len(z))


def test_a_key_weighted_by_rates_gives_the_realised_shares_of_neurons_that_fire_unequally():
    instrument = Electrodes(contamination=0.3, dead_time=0.0, false_positive_rate=0.5)
    implant = instrument.implant(tissue(60), RNG(1))
    rates = RNG(5).lognormal(np.log(4.0), 1.2, 60)  # a hundredfold range, as in cortex
    seen = told_apart(unequal_activity(rates, 2000.0, seed=6))
    recording = implant.record(seen, RNG(2))
    weighted = weighted_by_rates(implant.key, mean_rates(seen))
    unit, neuron = recording["spike_unit"].values, origins(seen, recording)
    z = {"weighted": [], "nominal": []}
    for u in range(recording.sizes["unit"]):
        mine = neuron[unit == u]
        realised = np.array([(mine == j).mean() for j in range(60)])
        for name, key in (("weighted", weighted), ("nominal", implant.key)):
            expected = key.values[u]
            tested = expected * len(mine) > 10
            deviation = np.sqrt(expected[tested] * (1 - expected[tested]) / len(mine))
            z[name] += list((realised - expected)[tested] / deviation)
    # The binomial bands of the test above; the nominal key is off by tens of standard errors.
    assert len(z["weighted"]) > 60
    assert np.abs(z["weighted"]).max() < 4.5
    assert abs(np.std(z["weighted"]) - 1) < 5 / np.sqrt(2 * len(z["weighted"]))
    assert np.abs(z["nominal"]).max() > 20


def test_at_the_reference_rate_the_weighted_key_is_the_key():
    key = Electrodes(reference_rate=7.0).implant(tissue(30), RNG(1)).key
    assert key.attrs["reference_rate"] == 7.0
    weighted = weighted_by_rates(key, np.full(30, 7.0))
    np.testing.assert_allclose(weighted, key)
    assert weighted.dims == key.dims
    assert "reference_rate" not in weighted.attrs


def test_a_unit_of_silent_neurons_holds_nothing_but_noise():
    key = Electrodes().implant(tissue(30), RNG(1)).key
    np.testing.assert_array_equal(weighted_by_rates(key, np.zeros(30)), 0.0)
    pure = make_key(np.eye(2)).assign_attrs(reference_rate=5.0)
    np.testing.assert_array_equal(weighted_by_rates(pure, np.array([0.0, 3.0])), [[0, 0], [0, 1]])


@pytest.mark.parametrize("instrument", [Perfect(), TwoPhoton()])
def test_keys_that_do_not_depend_on_rates_stay_as_they_are(instrument):
    key = instrument.implant(tissue(10), RNG(0)).key
    assert weighted_by_rates(key, np.arange(10.0)).identical(key)


@pytest.mark.parametrize("rates", [np.ones(29), -np.ones(30), np.full(30, np.nan)])
def test_a_key_is_weighted_by_one_rate_per_neuron(rates):
    with pytest.raises(SimlabError, match="one finite rate >= 0 Hz for each of its 30 neurons"):
        weighted_by_rates(Electrodes().implant(tissue(30), RNG(1)).key, rates)


def test_detection_falls_with_distance_as_the_amplitude_does():
    electrodes = Electrodes()
    detection = electrodes.detection(np.array([0, 30e-6, 60e-6, 100e-6, 200e-6]))
    assert (np.diff(detection) < 0).all()
    assert detection[0] > 0.99
    assert detection[-1] < 0.01
    # Half of the spikes are missed where the peak is at the threshold of 4 x 12 uV.
    assert electrodes.detection(72e-6 * np.log(120 / 48)) == pytest.approx(0.5)


def test_recorded_neurons_lie_nearer_to_their_site_than_the_others():
    implant = Electrodes().implant(tissue(200, side=400e-6), RNG(0))
    dominant = implant.key.values.argmax(axis=1)
    missed = np.setdiff1d(np.arange(200), dominant)
    assert implant.detection[dominant].min() >= Electrodes().isolation
    assert implant.detection[missed].mean() < implant.detection[dominant].mean()


def test_missed_spikes_are_the_share_that_detection_leaves_out():
    implant = Electrodes(contamination=0, merging=0, false_positive_rate=0, dead_time=0).implant(tissue(60), RNG(1))
    seen = poisson_activity(60, trials=100)
    recording = implant.record(seen, RNG(2))
    neuron = implant.key.values.argmax(axis=1)
    fired = np.bincount(seen["spike_neuron"].values, minlength=60)[neuron]
    kept = np.bincount(recording["spike_unit"].values, minlength=len(neuron))
    expected = implant.detection[neuron]
    deviation = np.sqrt(fired * expected * (1 - expected)) + 1
    assert (np.abs(kept - fired * expected) < 5 * deviation).all()


def test_without_errors_every_unit_is_one_neuron_seen_exactly():
    implant = Electrodes(**CLEAN, n_sites=300, units_per_site=40).implant(tissue(30), RNG(0))
    np.testing.assert_allclose(implant.key.values.max(axis=1), 1.0)
    seen = told_apart(poisson_activity(30))
    recording = implant.record(seen, RNG(0))
    neuron = implant.key.values.argmax(axis=1)
    assert sorted(neuron) == list(range(30))
    np.testing.assert_array_equal(neuron[recording["spike_unit"].values], origins(seen, recording))


def test_neurons_at_one_place_are_merged_into_one_unit_with_equal_shares():
    pair = anatomy(np.array([[0, 0, 0], [0, 0, 1e-9], [100e-6, 0, 0]]), ["E"] * 3)
    implant = Electrodes(**{**CLEAN, "merging": 1.0}, n_sites=50).implant(pair, RNG(0))
    rows = sorted(implant.key.values.tolist())
    np.testing.assert_allclose(rows, [[0, 0, 1], [0.5, 0.5, 0]])


def test_contamination_comes_from_neighbours_at_the_same_site_and_falls_with_distance():
    place = np.array([[0, 0, 0], [10e-6, 0, 0], [60e-6, 0, 0]])
    electrodes = Electrodes(**{**CLEAN, "contamination": 0.2}, n_sites=1)
    key = electrodes.implant(anatomy(place, ["E"] * 3), RNG(0)).key.values
    first = key[key[:, 0].argmax()]
    assert first[1] > first[2] > 0
    assert first[0] > 0.8


def test_at_most_units_per_site_are_told_apart():
    crowd = anatomy(RNG(0).uniform(0, 20e-6, (30, 3)), ["E"] * 30)
    implant = Electrodes(n_sites=1, merging=0.0).implant(crowd, RNG(1))
    assert implant.key.sizes["unit"] == 8


def test_false_positives_come_at_their_rate():
    implant = Electrodes(**{**CLEAN, "false_positive_rate": 2.0}).implant(tissue(20), RNG(0))
    silent = activity(Session(10, 10.0), 20, spikes=(np.array([], int), np.array([]), np.array([], int)))
    counts = np.bincount(implant.record(silent, RNG(1))["spike_unit"].values, minlength=implant.key.sizes["unit"])
    # Poisson with mean 200 per unit: standard deviation 14; five of them.
    assert (np.abs(counts - 200) < 71).all()


def test_noise_events_lie_on_the_clock_that_spikes_lie_on():
    """Off it they could be told from spikes, and struck out, by their times alone."""
    silent = activity(Session(3, 2.0), 20, spikes=(np.array([], int), np.array([]), np.array([], int)))
    seen = Electrodes(false_positive_rate=5.0).implant(tissue(20), RNG(0)).record(silent, RNG(1))
    ticks = np.round(seen["spike_time"].values / TICK)
    assert len(ticks) > 100
    np.testing.assert_array_equal(seen["spike_time"].values, ticks * TICK)


def test_spikes_within_the_dead_time_of_their_site_are_lost():
    time = np.array([0.0, 0.4, 0.9, 1.2, 1.3, 5.0]) * 1e-3
    zeros = np.zeros(6, dtype=int)
    # 0.4 is lost to 0.0; 0.9 is not (0.4 was never detected) and takes 1.2 and 1.3 with it.
    np.testing.assert_array_equal(in_dead_time(zeros, zeros, time, 0.75e-3), [0, 1, 0, 1, 1, 0])
    assert not in_dead_time(np.arange(6), zeros, time, 0.75e-3).any()
    assert not in_dead_time(zeros, np.arange(6), time, 0.75e-3).any()


def test_dead_time_agrees_with_walking_through_the_events():
    rng = RNG(0)
    site, trial, time = rng.integers(3, size=4000), rng.integers(4, size=4000), rng.uniform(0, 1, 4000)
    expected, last = np.zeros(4000, dtype=bool), {}
    for event in np.argsort(time):
        group = (site[event], trial[event])
        expected[event] = time[event] - last.get(group, -1.0) < 2e-3
        if not expected[event]:
            last[group] = time[event]
    np.testing.assert_array_equal(in_dead_time(site, trial, time, 2e-3), expected)


def test_collisions_leave_a_trough_at_zero_lag_between_units_of_a_site():
    pair = anatomy(np.array([[0, 0, 0], [20e-6, 0, 0]]), ["E"] * 2)
    implant = Electrodes(**{**CLEAN, "dead_time": 1e-3}, n_sites=1).implant(pair, RNG(0))
    recording = implant.record(poisson_activity(2, rate=50.0), RNG(1))
    order = np.lexsort((recording["spike_time"].values, recording["spike_trial"].values))
    gaps = np.diff(recording["spike_time"].values[order])
    assert gaps[gaps >= 0].min() >= 1e-3


def test_electrodes_need_spikes():
    with pytest.raises(SimlabError, match=r"electrodes need spikes.*use the instruments perfect or subsample"):
        Electrodes().implant(tissue(20), RNG(0)).record(rates_only(20), RNG(0))


def test_electrodes_that_reach_no_neuron_say_so():
    far = anatomy(np.array([[0, 0, 0], [1e-2, 1e-2, 1e-2]]), ["E", "E"])
    with pytest.raises(SimlabError, match=r"near one of the 1 sites.*raise n_sites"):
        Electrodes(n_sites=1).implant(far, RNG(0))


@pytest.mark.parametrize(
    "bad", [{"n_sites": 0}, {"contamination": 1.2}, {"decay": 0.0}, {"dead_time": -1.0}, {"noise": float("nan")}]
)
def test_electrodes_refuse_impossible_parameters(bad):
    with pytest.raises(SimlabError, match=next(iter(bad))):
        Electrodes(**bad)
