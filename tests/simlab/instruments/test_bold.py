"""BOLD: responses of known shape and size, regions and their mixing, volumes, noise, and who may be scanned."""

from functools import cache

import numpy as np
import pytest
from instrument_bench import poisson_activity, tissue
from scipy.integrate import solve_ivp

import simlab
from simlab.contracts import SimlabError
from simlab.data import activity, anatomy
from simlab.instruments.recording import haemodynamics
from simlab.instruments.recording.bold import Bold, regional
from simlab.instruments.recording.haemodynamics import MODELS, PEAK, balloon, plateau
from simlab.session import Session

RNG = np.random.default_rng
ONE = np.ones(1)
CLEAN = {"noise": 0.0, "delay_spread": 0.0}
every_model = pytest.mark.parametrize("name", sorted(MODELS))


@cache
def burst(name, duration, height=1.0, start=30.0):
    """(time [s] since the burst, change [%]) of activity of this height for so long, and rest before and after."""
    z = np.zeros((1500, 1))
    z[round(start / 0.1) : round((start + duration) / 0.1)] = height
    y = MODELS[name](z, 0.1, ONE)[:, 0]
    time = np.arange(1500) * 0.1 - start
    return time[time >= 0], 100 * (y - y[299])[time >= 0]


def regions(*names):
    """Anatomy of one node per name, on a line, each further from the next than the one before."""
    place = np.zeros((len(names), 3))
    place[:, 0] = np.cumsum(np.arange(len(names))) * 0.01
    return anatomy(place, ["E"] * len(names), names)


def rates(values, step=0.025):
    """Activity of rates (trial, time, neuron)."""
    trials, samples, n = values.shape
    return activity(Session(trials, samples * step), n, rate=values, time=np.arange(samples) * step)


def test_it_keeps_the_contract():
    assert simlab.check(Bold(), raises=False).ok
    assert simlab.check(Bold(n_parcels=4, mixing=0.3), raises=False).ok


@every_model
def test_a_short_burst_peaks_after_five_seconds_and_undershoots(name):
    time, y = burst(name, 2.0)
    assert 4.9 <= time[y.argmax()] <= 6.2
    assert 1.0 < y.max() < 5.0  # percent: what evoked responses are
    later = time > 8
    assert 11 < time[later][y[later].argmin()] < 18
    assert -0.2 * y.max() < y[later].min() < -0.05 * y.max()
    assert abs(y[time > 60]).max() < 0.01 * y.max()


@every_model
def test_a_brief_burst_peaks_when_the_table_of_peaks_says(name):
    time, y = burst(name, 0.1)
    assert time[y.argmax()] == pytest.approx(PEAK[name], abs=0.15)


@every_model
def test_long_activity_ends_at_the_same_plateau(name):
    y = burst(name, 100.0)[1]
    assert y[990] == pytest.approx(100 * plateau(1.0), rel=0.01)


def test_weak_activity_adds_up_and_strong_activity_saturates():
    weak, twice, strong = (burst("balloon", 1.0, height)[1].max() for height in (0.05, 0.1, 2.0))
    assert twice / weak == pytest.approx(2.0, rel=0.02)
    assert strong / weak < 0.9 * 40
    canonical = [burst("canonical", 1.0, height)[1].max() for height in (0.05, 2.0)]
    assert canonical[1] / canonical[0] == pytest.approx(40.0)
    together = burst("balloon", 2.0, 2.0)[1].max()  # two bursts of 1 s, the second 1 s after the first
    assert together < 0.9 * 2 * burst("balloon", 1.0, 2.0)[1].max()


def test_the_balloon_solves_its_equations():
    h = haemodynamics
    k1, k2, k3 = h.WEIGHTS

    def slope(t, x):
        s, f, v, q = x
        z, out = 1.0 * (t < 3), v ** (1 / h.STIFFNESS)
        extracted = (1 - (1 - h.EXTRACTION) ** (1 / f)) / h.EXTRACTION
        return [
            h.EFFICACY * z - h.SIGNAL_DECAY * s - h.FEEDBACK * (f - 1),
            s,
            (f - out) / h.TRANSIT_TIME,
            (f * extracted - out * q / v) / h.TRANSIT_TIME,
        ]

    z = np.zeros((500, 1))
    z[:30] = 1.0
    pace = np.array([0.5])  # twice as slow: a burst of 6 s of its own time is 3 s of the equations'
    z_slow = np.repeat(z, 2, axis=0)
    solved = solve_ivp(slope, (0, 50), [0, 1, 1, 1], t_eval=np.arange(500) * 0.1, max_step=0.05, rtol=1e-8).y
    expected = h.BLOOD_VOLUME * (k1 * (1 - solved[3]) + k2 * (1 - solved[3] / solved[2]) + k3 * (1 - solved[2]))
    padded = np.concatenate([np.zeros((3000, 1)), z, np.zeros((3000, 1))])  # so that it starts at rest
    found = balloon(padded, 0.1, ONE)[3000:3500, 0]
    np.testing.assert_allclose(found, expected, atol=5e-5)  # of .04
    slow = balloon(np.concatenate([np.zeros((3000, 1)), z_slow, np.zeros((3000, 1))]), 0.1, pace)[3000:4000:2, 0]
    np.testing.assert_allclose(slow, expected, atol=5e-5)


def test_activity_below_zero_lowers_the_signal_and_never_breaks_it():
    z = np.zeros((1000, 1))
    z[300:330], z[600:700], z[700:] = -0.2, -50.0, 10.0
    y = balloon(z, 0.1, ONE)[:, 0]
    assert np.isfinite(y).all()
    assert y[300:360].min() < y[299] - 0.001
    assert np.abs(y).max() < 0.3


def test_regions_are_means_of_their_neurons_and_keys_say_so():
    scanner = Bold(mixing=0.2, **CLEAN).implant(regions("a", "b", "a", "c"), RNG(0))
    # centres at .015 (a), .01 (b) and .06 m (c): a and b are one another's neighbours, and c's is a
    np.testing.assert_allclose(
        scanner.key.values, [[0.4, 0.2, 0.4, 0], [0.1, 0.8, 0.1, 0], [0.1, 0, 0.1, 0.8]], atol=1e-12
    )
    np.testing.assert_allclose(scanner.units["unit_x"], [0.015, 0.01, 0.06])


def test_mixed_regions_show_the_signals_in_the_shares_of_the_key():
    rate = np.zeros((1, 4000, 3))
    rate[0, 800:900, 0] = 1.0
    pure, mixed = (
        Bold(mixing=share, repetition_time=0.5, **CLEAN)
        .implant(regions("a", "b", "c"), RNG(0))
        .record(rates(rate), RNG(1))
        for share in (0.0, 0.3)
    )
    alone = pure["signal"].values[0]
    assert not alone[:, 1:].any()
    np.testing.assert_allclose(mixed["signal"].values[0, :, 0], 0.7 * alone[:, 0], atol=1e-12)
    np.testing.assert_allclose(mixed["signal"].values[0, :, 1], 0.3 * alone[:, 0], atol=1e-12)
    np.testing.assert_allclose(mixed["signal"].values[0, :, 2], 0, atol=1e-12)


def test_volumes_come_once_in_a_repetition_and_hold_percent():
    rate = np.full((2, 4000, 2), 0.3)
    seen = Bold().implant(regions("a", "b"), RNG(0)).record(rates(rate), RNG(1))
    np.testing.assert_allclose(seen["sample_time"], 1.5 + 3.0 * np.arange(33))
    assert seen["signal"].attrs == {"modality": "haemodynamics", "units": "%"}
    # steady activity: thermal noise alone, 1% of the mean; 132 numbers, +- 6%
    assert seen["signal"].values.std() == pytest.approx(1.0, rel=0.25)
    single = Bold().implant(regions("a"), RNG(0)).record(rates(rate[:, :40, :1]), RNG(1))
    np.testing.assert_allclose(single["sample_time"], [0.5])


def test_blood_of_one_trial_flows_into_the_next():
    rate = np.zeros((2, 1200, 1))
    rate[0, -80:] = 1.0
    seen = Bold(repetition_time=0.5, **CLEAN).implant(regions("a"), RNG(0)).record(rates(rate), RNG(1))
    both = seen["signal"].values[..., 0].ravel()
    assert 60 <= both.argmax() < 70  # in the second trial, within 5 s of its start
    assert np.abs(np.diff(both))[55:65].max() < 0.8  # and no jump between them


def test_vessels_of_different_regions_respond_at_different_speeds():
    names = [f"r{k}" for k in range(400)]
    peaks = PEAK["balloon"] / Bold().implant(regions(*names), RNG(2)).speed
    assert peaks.mean() == pytest.approx(PEAK["balloon"], abs=0.1)  # 400 numbers of deviation .5: +- .025
    assert peaks.std() == pytest.approx(0.5, abs=0.08)
    assert (Bold(delay_spread=0.0).implant(regions(*names), RNG(2)).speed == 1).all()
    wild = Bold(delay_spread=5.0).implant(regions(*names), RNG(2)).speed
    assert wild.max() <= 1 / 0.6 + 1e-9
    assert wild.min() > 0


def test_the_activity_of_a_region_is_kept_whatever_its_grid():
    rng = RNG(3)
    fine, members = rng.random((2, 400, 3)), np.array([[0.5, 0.5, 0], [0, 0, 1.0]])
    expected = (fine @ members.T).reshape(2, 20, 20, 2).mean(axis=2)
    np.testing.assert_allclose(regional(rates(fine), members, 20), expected, atol=1e-12)
    coarse = np.repeat(fine[:, :20], 5, axis=1) @ members.T
    np.testing.assert_allclose(regional(rates(fine[:, :20], 0.5), members, 100), coarse, atol=1e-12)
    world = poisson_activity(3, trials=2, duration=10.0)
    counts = np.bincount(world["spike_neuron"].values, minlength=3) / 20.0
    np.testing.assert_allclose(regional(world, members, 50).mean(axis=(0, 1)), members @ counts)


def test_spiking_tissue_is_scanned_in_parcels():
    scanner = Bold(n_parcels=6).implant(tissue(60), RNG(4))
    assert scanner.key.sizes["unit"] == 6
    np.testing.assert_allclose(scanner.key.sum("unit").values > 0, True)
    np.testing.assert_allclose(scanner.key.sum("neuron"), 1.0)
    seen = scanner.record(poisson_activity(60, trials=2, duration=30.0), RNG(5))
    assert seen["signal"].shape == (2, 10, 6)
    assert Bold().implant(tissue(60), RNG(4)).key.sizes["unit"] == 1  # its anatomy names one region
    with pytest.raises(SimlabError, match="n_parcels must be at most the subject's 60 neurons, got 61"):
        Bold(n_parcels=61).implant(tissue(60), RNG(4))


def test_activity_is_measured_against_the_reference():
    rate = np.zeros((1, 4000, 1))
    rate[0, 800:880] = 5.0
    implants = [Bold(reference=r, repetition_time=0.5, **CLEAN).implant(regions("a"), RNG(0)) for r in (5.0, 50.0)]
    full, tenth = (np.ptp(implant.record(rates(rate), RNG(1))["signal"].values) for implant in implants)
    assert full == pytest.approx(np.ptp(burst("balloon", 2.0)[1]), rel=0.02)
    assert tenth < 0.15 * full
    with pytest.raises(SimlabError, match=r"within 10 times the reference of 0\.1, got 50 times: give"):
        Bold(reference=0.1).implant(regions("a"), RNG(0)).record(rates(rate), RNG(1))
