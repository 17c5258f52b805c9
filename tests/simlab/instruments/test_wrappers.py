"""Noise, lost units and selected units on top of any instrument."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import simlab
from circuits.causal.redundant import Redundant
from simlab.data import mean_rates
from simlab.instruments.recording.losing_units import LosingUnits
from simlab.instruments.recording.noisy import Noisy
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.recording.responsive_units import ResponsiveUnits
from simlab.instruments.recording.two_photon import TwoPhoton

ROWS = np.random.default_rng


@pytest.fixture(scope="module")
def bench() -> tuple[xr.Dataset, xr.Dataset]:
    """Anatomy and an activity of 400 trials."""
    subject = Redundant(bystanders=3).subject(ROWS(0))
    session = subject.session(trials=400, duration=1.0, rng=ROWS(1))
    return subject.anatomy, subject.run(session, ROWS(2))


def test_a_known_share_of_spikes_is_missed_and_a_known_rate_added(bench: tuple[xr.Dataset, xr.Dataset]) -> None:
    anatomy, activity = bench
    seen = Noisy(missed=0.3, added=2.0).implant(anatomy, ROWS(0)).record(activity, ROWS(3))
    expected = 0.7 * mean_rates(activity) + 2.0
    assert np.allclose(mean_rates(seen), expected, atol=4 * np.sqrt(expected / 400))
    clean = Noisy(missed=0.0, added=0.0).implant(anatomy, ROWS(0)).record(activity, ROWS(3))
    assert clean.equals(Perfect().implant(anatomy, ROWS(0)).record(activity, ROWS(3)))


def test_half_of_the_units_are_gone_after_the_half_life_and_none_comes_back(
    bench: tuple[xr.Dataset, xr.Dataset],
) -> None:
    anatomy, activity = bench
    there = np.zeros((60, 6))
    for k in range(60):
        seen = LosingUnits(half_life=100.0).implant(anatomy, ROWS(0)).record(activity, ROWS(k))
        table = np.zeros((400, 6), bool)
        table[seen["spike_trial"].values, seen["spike_unit"].values] = True
        last = np.array([np.flatnonzero(column).max(initial=-1) for column in table.T])
        there[k] = last >= 100
        assert all(table[: end + 1, unit].mean() > 0.9 for unit, end in enumerate(last) if end > 20)
    assert there.mean() == pytest.approx(0.5, abs=0.08)  # 360 units: two and a half standard errors of .026


def test_a_lost_signal_stays_where_it_was(bench: tuple[xr.Dataset, xr.Dataset]) -> None:
    anatomy, activity = bench
    few = activity.isel(trial=slice(0, 40)).pipe(lambda a: a.isel(spike=a["spike_trial"].values < 40))
    seen = LosingUnits(TwoPhoton(), half_life=5.0).implant(anatomy, ROWS(0)).record(few, ROWS(1))
    assert np.isfinite(seen["signal"].values).all()
    assert (np.ptp(seen["signal"].values[-1], axis=0) == 0).mean() > 0.5


def test_only_those_that_respond_are_kept_of_the_session_that_is_analysed(bench: tuple[xr.Dataset, xr.Dataset]) -> None:
    anatomy, activity = bench
    implant = ResponsiveUnits(kept=0.5).implant(anatomy, ROWS(0))
    assert implant.key.sizes["unit"] == 6
    settled = implant.settled(activity)
    assert settled.key.sizes["unit"] == settled.record(activity, ROWS(0)).sizes["unit"] == 3
    assert np.allclose(settled.key.values.sum(axis=1), 1.0)


@pytest.mark.parametrize("name", ["noisy", "losing_units", "responsive_units"])
def test_the_instrument_keeps_its_contract(name: str) -> None:
    assert simlab.check(name).ok
