"""Rotations and orders: planted ones are found, noise gives none, and nulls have the covariances that they should."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from methods.rhythms._tensor_null import MaximumEntropyTensors
from methods.rhythms.jpca import JPCA, fit_rotation
from methods.rhythms.sequence_order import SequenceOrder, recurrence
from simlab.data import recording

RNG = np.random.default_rng
BRIEF = {"candidates": ("condition-dependent sequence", "rotational dynamics")}


def planted(kind: str, seed: int = 0, conditions: int = 8, repeats: int = 12, units: int = 24) -> xr.Dataset:
    """A signal of units that follow two rotating latents, or smooth noise of each condition and unit on its own."""
    from scipy.ndimage import gaussian_filter1d

    rng, times = RNG(seed), np.arange(80) * 0.01
    if kind == "rotation":
        start = rng.standard_normal((conditions, 1)) + 1j * rng.standard_normal((conditions, 1))
        latent = start * np.exp((2j * np.pi * 2.0 - 1.5) * times)
        mean = np.stack([latent.real, latent.imag], axis=-1) @ rng.standard_normal((2, units))
    else:
        mean = gaussian_filter1d(rng.standard_normal((conditions, 160, units)), 12, axis=1)[:, 40:120] * 4
    label = rng.permutation(np.repeat(np.arange(conditions), repeats))
    values = mean[label] + rng.standard_normal((len(label), *mean.shape[1:]))
    seen = recording(
        duration=0.8, n_units=units, n_trials=len(label), signal=values, modality="rate", signal_units="Hz",
        condition=label, sample_time=times,
    )  # fmt: skip
    return seen.assign_attrs(brief=BRIEF)


@pytest.mark.parametrize("null", ["tensor", "conditions", "none"])
def test_a_planted_rotation_is_found_and_its_frequency_read(null):
    found = JPCA(null=null, n_surrogates=40).analyse(planted("rotation"), RNG(1))
    assert found.estimate["label"] == "rotational dynamics"
    assert found.notes["frequency"] == pytest.approx(2.0, rel=0.15)


def test_smooth_noise_is_no_rotation_beyond_the_tensor_null():
    said = [JPCA(n_surrogates=40).analyse(planted("noise", seed), RNG(1)).estimate["label"] for seed in range(6)]
    assert said.count("rotational dynamics") <= 1  # at a level of .05


def test_abstentions_name_what_is_missing():
    seen = planted("rotation")
    assert "conditions" in JPCA().analyse(seen.drop_vars("condition"), RNG(1)).abstained
    assert "units" in JPCA().analyse(planted("rotation", units=5), RNG(1)).abstained
    assert "conditions of" in JPCA().analyse(planted("rotation", conditions=2), RNG(1)).abstained
    assert "candidates" in JPCA().analyse(seen.assign_attrs(brief={}), RNG(1)).abstained


def test_a_skew_law_is_recovered_and_a_decaying_one_fits_no_rotation():
    rng, times = RNG(0), np.arange(40) * 0.02
    turning = (rng.standard_normal((10, 1)) + 1j * rng.standard_normal((10, 1))) * np.exp(2j * np.pi * 1.5 * times)
    found = fit_rotation(np.stack([turning.real, turning.imag], axis=-1), 2, 0.02)
    assert found.skew > 0.99
    assert found.frequency == pytest.approx(1.5, rel=0.02)
    decaying = rng.standard_normal((10, 1, 2)) * np.exp(-times[:, None] * np.array([2.0, 5.0]))
    found = fit_rotation(decaying, 2, 0.02)
    assert found.skew < 0.1
    assert found.free > 0.85  # a step is a tenth of the faster decay


def test_random_tensors_have_the_covariances_of_the_data_along_each_axis():
    rng = RNG(0)
    data = np.cumsum(rng.standard_normal((8, 20, 15)), axis=1) * np.linspace(0.3, 2, 15)
    data = data - data.mean(axis=0)
    source = MaximumEntropyTensors.like(data)
    drawn = [source.draw(rng) for _ in range(200)]

    def covariance(tensor: np.ndarray, axis: int) -> np.ndarray:
        flat = np.moveaxis(tensor, axis, 0).reshape(tensor.shape[axis], -1)
        return flat @ flat.T

    for axis in range(3):
        wanted = covariance(data, axis)
        made = np.mean([covariance(one, axis) for one in drawn], axis=0)
        assert np.abs(made - wanted).max() < 0.1 * np.abs(wanted).max()  # a few thousandths, and 200 draws' error


def bumps(order: np.ndarray, repeats: int = 1, jitter: bool = False, trials: int = 20) -> xr.Dataset:
    """Units that rise one after another, once in a trial or again and again, at any phase of the trial if jittered."""
    rng, times = RNG(0), np.arange(200) * 0.01
    period = 2.0 / repeats
    shift = rng.uniform(0, period, trials) if jitter else np.zeros(trials)
    at = (order + 0.5) / len(order) * period
    apart = (times[None, :, None] - at - shift[:, None, None] + period / 2) % period - period / 2
    values = 10 * np.exp(-(apart**2) / (2 * (period / 16) ** 2)) + rng.standard_normal((trials, 200, len(order)))
    return recording(
        duration=2.0, n_units=len(order), n_trials=trials, signal=values, modality="rate", signal_units="Hz",
        sample_time=times,
    )  # fmt: skip


def test_an_order_that_comes_once_is_a_sequence_and_one_that_returns_a_cycle():
    order = RNG(1).permutation(12)
    assert SequenceOrder().analyse(bumps(order), RNG(0)).estimate == {"label": "feedforward sequence"}
    cycle = SequenceOrder().analyse(bumps(order, repeats=5, jitter=True), RNG(0))
    assert cycle.estimate == {"label": "limit cycle"}
    assert cycle.notes["lag"] == pytest.approx(0.4, abs=0.02)


def test_units_that_answer_together_or_in_no_order_are_abstained_from():
    together = SequenceOrder().analyse(bumps(np.zeros(12)), RNG(0))
    assert together.abstained
    noise = bumps(np.arange(12)).copy()
    noise["signal"] = noise["signal"].copy(data=RNG(2).standard_normal(noise["signal"].shape))
    assert "no reliable order" in SequenceOrder().analyse(noise, RNG(0)).abstained
    assert "units" in SequenceOrder().analyse(bumps(np.arange(3)), RNG(0)).abstained


def test_recurrence_is_the_rise_after_the_first_trough():
    times = np.arange(400) * 0.01
    waves = np.cos(2 * np.pi * times[None, :, None] + RNG(0).uniform(0, 6, (10, 1, 1)) + np.arange(3))
    height, lag = recurrence(waves)
    assert height == pytest.approx(2.0, abs=0.1)
    assert lag == pytest.approx(100, abs=3)
