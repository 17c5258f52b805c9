"""Spike patterns that come again: found where spikes follow one another precisely, and not where rates do."""

from __future__ import annotations

import numpy as np

from methods.rhythms.spade import Spade, _Trains
from simlab.checks.problem import spiking_recording
from simlab.data import recording

RNG = np.random.default_rng
QUICK = Spade(n_surrogates=9)
UNITS, TRIALS, DURATION = 16, 20, 0.5


def planted(lag: float, jitter: float, rate: float = 4.0):
    """Poisson spikes, and in each trial one spike of every other unit, one `lag` [s] after another, give or take."""
    rng = RNG(0)
    n = rng.poisson(rate * DURATION * UNITS * TRIALS)
    trial, unit = rng.integers(0, TRIALS, n), rng.integers(0, UNITS, n)
    time = rng.uniform(0, DURATION, n)
    members = np.arange(0, UNITS, 2)
    start = rng.uniform(0.15, 0.3, (TRIALS, 1))
    volley = start + lag * np.arange(len(members)) + jitter * rng.standard_normal((TRIALS, len(members)))
    spikes = (
        np.append(trial, np.repeat(np.arange(TRIALS), len(members))),
        np.append(time, np.clip(volley, 0, DURATION - 1e-6).ravel()),
        np.append(unit, np.tile(members, TRIALS)),
    )
    return recording(duration=DURATION, n_units=UNITS, n_trials=TRIALS, spikes=spikes)


def test_a_precise_sequence_is_found_with_its_units_and_lags():
    found = QUICK.analyse(planted(lag=6e-3, jitter=2e-4), RNG(1))
    assert found.estimate["label"] == "feedforward sequence"
    units, lags = np.array(found.notes["units"]), np.array(found.notes["lags"])
    assert (units % 2 == 0).all()
    np.testing.assert_allclose(lags - lags.min(), 6e-3 * (units - units.min()) / 2, atol=3.1e-3)  # bins of 3 ms
    assert found.notes["occurrences"] >= TRIALS / 2
    few = Spade(n_surrogates=9, most_units=12).analyse(planted(lag=6e-3, jitter=2e-4), RNG(1))
    assert set(few.notes["units"]) <= set(range(0, UNITS, 2))


def test_one_that_is_as_loose_as_dithering_is_not():
    assert "comes again" in QUICK.analyse(planted(lag=6e-3, jitter=15e-3), RNG(1)).abstained


def test_synchrony_is_no_sequence():
    assert "synchronous" in QUICK.analyse(planted(lag=0.0, jitter=2e-4), RNG(1)).abstained


def test_independent_units_and_what_it_cannot_use_are_abstained_from():
    assert "comes again" in QUICK.analyse(spiking_recording(20, 1.0, 12), RNG(1)).abstained
    assert "units" in QUICK.analyse(spiking_recording(20, 1.0, 5), RNG(1)).abstained
    assert "trials" in QUICK.analyse(spiking_recording(5, 1.0, 12), RNG(1)).abstained
    busy = Spade(most_spikes_mined=100)
    assert "too few" in busy.analyse(spiking_recording(20, 2.0, 12), RNG(1)).abstained


def test_dithered_spikes_stay_in_their_trials_and_near_their_times():
    trains = _Trains(planted(6e-3, 2e-4), np.arange(UNITS), 20_000, 0.03)
    moved = trains.dithered(15e-3, RNG(2))
    assert moved.min() >= 0
    assert moved.max() <= DURATION
    assert np.abs(moved - trains.time).max() <= 15e-3 + 1e-12
    assert np.abs(moved - trains.time).mean() > 5e-3
    assert sum(len(train) for train in trains.laid_out(moved)) == len(moved)
