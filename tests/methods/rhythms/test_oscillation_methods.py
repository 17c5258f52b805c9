"""Rhythms that are there and rhythms that are not: planted ones, 1/f noise, and what each method abstains from."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from methods.rhythms._spectra import aperiodic
from methods.rhythms.autocorrelogram_peak import AutocorrelogramPeak
from methods.rhythms.bycycle_bursts import BycycleBursts
from methods.rhythms.phantom_oscillation import (
    PhantomOscillation,
    fit_sinusoid,
    half_cosine_likeness,
    time_courses,
)
from methods.rhythms.specparam_peak import SpecparamPeak
from methods.rhythms.spectral_peak import SpectralPeak
from methods.rhythms.spike_field_ppc import SpikeFieldPPC, pairwise_phase_consistency, phase_locking_value
from simlab.data import recording

METHODS = (
    SpectralPeak(),
    SpecparamPeak(),
    SpecparamPeak(aperiodic_mode="knee"),
    AutocorrelogramPeak(),
    BycycleBursts(n_surrogates=3),
)
PLANTED = [
    *METHODS[:-1],
    pytest.param(METHODS[-1], marks=pytest.mark.slow),
    pytest.param(SpikeFieldPPC(n_frequencies=24), marks=pytest.mark.slow),
]
RNG = np.random.default_rng


def pink(shape: tuple[int, ...], step: float, exponent: float, rng: np.random.Generator) -> np.ndarray:
    """Gaussian noise (trial, time) whose power falls with frequency^exponent, of variance 1."""
    f = np.fft.rfftfreq(4 * shape[1], step)
    f[0] = f[1]
    wave = np.fft.irfft(f ** (-exponent / 2) * (rng.standard_normal((2, shape[0], len(f))) * [[[1]], [[1j]]]).sum(0))
    wave = wave[:, shape[1] : 2 * shape[1]]
    return wave / wave.std()


def modulated(frequency: float | None, seed: int = 0, trials: int = 30, units: int = 20) -> xr.Dataset:
    """Poisson spikes of units whose rates share a 1/f gain, and a rhythm with a wandering phase if there is one."""
    rng, step, n = RNG(seed), 2e-3, 500
    gain = 1 + 0.4 * pink((trials, n), step, 1.5, rng)
    if frequency:
        phase = rng.uniform(0, 2 * np.pi, (trials, 1)) + np.cumsum(rng.normal(0, 0.1, (trials, n)), axis=1)
        gain = gain + 0.6 * np.cos(2 * np.pi * frequency * np.arange(n) * step + phase)
    rate = 20.0 * np.maximum(gain, 0)[:, :, None] * np.ones(units)
    trial, time, unit = np.nonzero(rng.random(rate.shape) < rate * step)
    return recording(duration=1.0, n_units=units, n_trials=trials, spikes=(trial, (time + 0.5) * step, unit))


@pytest.fixture(scope="module")
def rhythmic() -> xr.Dataset:
    return modulated(32.0)


@pytest.fixture(scope="module")
def arhythmic() -> xr.Dataset:
    return modulated(None)


@pytest.mark.parametrize("method", PLANTED, ids=lambda m: f"{m.name}")
def test_a_planted_rhythm_is_found_with_its_frequency_and_a_falling_spectrum_has_none(method, rhythmic, arhythmic):
    found = method.analyse(rhythmic, RNG(1))
    assert found.estimate["present"]
    assert found.estimate["frequency"] == pytest.approx(32.0, rel=0.1)
    if (method.name, getattr(method, "aperiodic_mode", "")) != ("specparam_peak", "fixed"):
        # without a knee, specparam bridges 1/f and the floor of the spikes by a peak: that is what the experiment
        # counts
        assert not method.analyse(arhythmic, RNG(1)).estimate.get("present", False)


def test_the_highest_point_of_a_raw_spectrum_is_a_false_alarm(arhythmic):
    found = SpectralPeak(background="flat").analyse(arhythmic, RNG(1))
    assert found.estimate["present"]
    assert found.estimate["frequency"] < 8


def test_the_background_of_a_spectrum_is_fitted_past_its_peak():
    frequency = np.arange(2.0, 120.0)
    true = 100 / (4 + frequency**1.5) + 0.3
    bump = 1 + 4 * np.exp(-((frequency - 40) ** 2) / (2 * 4**2))
    np.testing.assert_allclose(aperiodic(frequency, true * bump), true, rtol=0.15)


@pytest.mark.parametrize("method", [*METHODS, SpikeFieldPPC(), PhantomOscillation()], ids=lambda m: m.name)
def test_silence_and_a_moments_recording_are_abstained_from(method):
    nothing = (np.zeros(0, int), np.zeros(0), np.zeros(0, int))
    silent = recording(duration=1.0, n_units=20, n_trials=30, spikes=nothing)
    assert method.analyse(silent, RNG(1)).abstained
    assert method.analyse(modulated(32.0, trials=1, units=3), RNG(1)).abstained


def test_phase_consistency_is_unbiased_where_phase_locking_grows_with_fewer_spikes():
    """Vinck et al. 2010: without locking, plv = sqrt(pi / (4 N)) and ppc = 0 on average."""
    rng = RNG(0)
    for n in (10, 40, 160):
        phases = rng.uniform(0, 2 * np.pi, (4000, n))
        values = np.array([phase_locking_value(p) for p in phases])
        assert values.mean() == pytest.approx(np.sqrt(np.pi / (4 * n)), rel=0.04)
        ppc = np.array([pairwise_phase_consistency(p) for p in phases])
        assert abs(ppc.mean()) < 4 * ppc.std() / np.sqrt(len(ppc))
    # one estimate over many spikes: its sd without locking is 1 / n = .0002
    assert abs(pairwise_phase_consistency(rng.uniform(0, 2 * np.pi, 5000))) < 0.002
    # locked as a von Mises of concentration 1: ppc is the squared resultant, I1(1) / I0(1) = .446
    assert pairwise_phase_consistency(rng.vonmises(0, 1.0, 40_000)) == pytest.approx(0.446**2, abs=0.01)


def smooth(n_units: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """Independent smooth courses (time, unit)."""
    from scipy.ndimage import gaussian_filter1d

    return gaussian_filter1d(rng.standard_normal((100 + 8 * width, n_units)), width, axis=0)[
        4 * width : 4 * width + 100
    ]


def of_signal(mean: np.ndarray, rng: np.random.Generator) -> xr.Dataset:
    """Ten trials of a signal with these averages (time, unit)."""
    values = mean + 0.2 * mean.std() * rng.standard_normal((10, *mean.shape))
    return recording(
        duration=1.0, n_units=mean.shape[1], n_trials=10, signal=values, modality="rate", signal_units="Hz",
        sample_time=np.arange(len(mean)) * 0.01,
    )  # fmt: skip


def test_components_of_independent_smooth_noise_are_half_cosines_and_seen_through():
    """Shinn 2023: |correlation| > .8."""
    rng = RNG(1)
    mean = smooth(200, 30, rng)
    likeness = [half_cosine_likeness(c, k + 1) for k, c in enumerate(time_courses(mean, 3).T)]
    assert min(likeness) > 0.8
    naive, careful = (PhantomOscillation(check=check).analyse(of_signal(mean, rng), rng) for check in (False, True))
    assert naive.estimate["present"]
    assert not careful.estimate["present"]


def test_a_shared_sinusoid_is_no_phantom():
    rng = RNG(2)
    times = np.arange(100) * 0.01
    mean = np.cos(2 * np.pi * 7 * times[:, None] + rng.uniform(0, 2 * np.pi, 60)) + 0.3 * smooth(60, 10, rng)
    found = PhantomOscillation().analyse(of_signal(mean, rng), rng)
    assert found.estimate["present"]
    assert found.estimate["frequency"] == pytest.approx(7.0, rel=0.05)
    assert fit_sinusoid(np.cos(2 * np.pi * 7 * times + 1), 0.01) == pytest.approx((1.0, 7.0), abs=0.06)


def test_the_first_component_of_a_random_walk_holds_six_over_pi_squared():
    """Antognini & Sohl-Dickstein 2018: 6 / pi^2 = .608 +- .03, and components are half-cosines."""
    walk = np.cumsum(RNG(3).standard_normal((400, 2000)), axis=0)
    centred = walk - walk.mean(axis=0)
    left, values, _ = np.linalg.svd(centred, full_matrices=False)
    assert values[0] ** 2 / (values**2).sum() == pytest.approx(6 / np.pi**2, abs=0.03)
    assert min(half_cosine_likeness(left[:, k], k + 1) for k in range(3)) > 0.95
