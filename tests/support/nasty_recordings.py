"""Tiny recordings of the kinds that break analyses: something is missing, doubled, constant, unequal or too much."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import xarray as xr

from simlab.data import recording

Spikes = tuple[np.ndarray, np.ndarray, np.ndarray]
NOTHING: Spikes = (np.empty(0, int), np.empty(0), np.empty(0, int))

TRIALS, DURATION, UNITS = 3, 1.0, 4
"""Of a recording unless its name says otherwise."""


def poisson(units: int = UNITS, trials: int = TRIALS, duration: float = DURATION, rate: float = 12.0) -> Spikes:
    """Columns (trial, time [s], unit) of independent units at `rate` [Hz]."""
    rng = np.random.default_rng([units, trials, round(1e4 * duration)])
    counts = rng.poisson(rate * duration, (trials, units))
    trial, unit = (np.repeat(index.ravel(), counts.ravel()) for index in np.indices(counts.shape))
    return trial, rng.uniform(0, duration, len(trial)), unit


def spiking(spikes: Spikes, units: int = UNITS, trials: int = TRIALS, duration: object = DURATION) -> xr.Dataset:
    """A recording of spikes."""
    return recording(duration=duration, n_units=units, n_trials=trials, spikes=spikes)


def _doubled() -> xr.Dataset:
    trial, time, unit = poisson()
    first = unit == 0
    return spiking((np.r_[trial[unit != 1], trial[first]], np.r_[time[unit != 1], time[first]],
                    np.r_[unit[unit != 1], np.ones(first.sum(), int)]))  # fmt: skip


def _every_bin() -> xr.Dataset:
    """Unit 0 fires every millisecond, the others as they like."""
    trial, time, unit = poisson()
    clock = (np.arange(round(DURATION * 1000)) + 0.5) * 1e-3
    return spiking(
        (
            np.r_[trial[unit > 0], np.repeat(np.arange(TRIALS), len(clock))],
            np.r_[time[unit > 0], np.tile(clock, TRIALS)],
            np.r_[unit[unit > 0], np.zeros(TRIALS * len(clock), int)],
        )
    )


def _unequal_trials(durations: np.ndarray) -> xr.Dataset:
    trial, time, unit = poisson()
    inside = time < durations[trial]
    return spiking((trial[inside], time[inside], unit[inside]), duration=durations)


def _together() -> xr.Dataset:
    """All units fire at the same instants."""
    time = np.random.default_rng(5).uniform(0, DURATION, (TRIALS, 20))
    trial, _, unit = np.indices((TRIALS, 20, UNITS)).reshape(3, -1)
    return spiking((trial, np.repeat(time.ravel(), UNITS), unit))


def _some(chosen: Callable[..., np.ndarray]) -> xr.Dataset:
    trial, time, unit = poisson()
    kept = chosen(trial, time, unit)
    return spiking((trial[kept], time[kept], unit[kept]))


SPIKES: Mapping[str, Callable[[], xr.Dataset]] = {
    "a silent unit": lambda: _some(lambda trial, time, unit: unit != 2),
    "one unit that fires": lambda: _some(lambda trial, time, unit: unit == 1),
    "all silent": lambda: spiking(NOTHING),
    "a silent trial": lambda: _some(lambda trial, time, unit: trial != 1),
    "spikes within 5 ms": lambda: _some(lambda trial, time, unit: (time > 0.7) & (time < 0.705) | (time < 0.005)),
    "two units, one silent": lambda: spiking(poisson(1), 2),
    "one spike": lambda: spiking((np.array([1]), np.array([0.5]), np.array([2]))),
    "one spike each": lambda: spiking((np.array([0, 1, 2, 2]), np.linspace(0.1, 0.9, 4), np.arange(4))),
    "a spike at either end": lambda: spiking((np.array([0, 2]), np.array([0.0, DURATION]), np.array([0, 1]))),
    "doubled units": _doubled,
    "all units alike": _together,
    "two units": lambda: spiking(poisson(2), 2),
    "one unit": lambda: spiking(poisson(1), 1),
    "one trial": lambda: spiking(poisson(trials=1), trials=1),
    "trials of 20 ms": lambda: spiking(poisson(duration=0.02, rate=100.0), duration=0.02),
    "trials of 2 ms": lambda: spiking(poisson(duration=0.002, rate=300.0), duration=0.002),
    "trials of 50 us": lambda: spiking(poisson(duration=5e-5, rate=2e4), duration=5e-5),
    "trials of unequal length": lambda: _unequal_trials(np.array([1.0, 0.3, 0.7])),
    "a trial shorter than a bin": lambda: _unequal_trials(np.array([1.0, 0.0004, 0.7])),
    "a unit in every bin": _every_bin,
    "very high rates": lambda: spiking(poisson(trials=1, duration=0.5, rate=900.0), trials=1, duration=0.5),
    "more units than trials and spikes": lambda: spiking(poisson(12, 1, 0.3, 3.0), 12, 1, 0.3),
}
"""What the spikes are of, and how they are made."""


def traces(units: int = UNITS, trials: int = TRIALS, samples: int = 80) -> np.ndarray:
    """(trial, sample, unit): slow, positive, with transients, as fluorescence is."""
    rng = np.random.default_rng([units, trials, samples])
    events = rng.poisson(0.06, (trials, samples, units)).astype(float)
    for sample in range(1, samples):
        events[:, sample] += 0.85 * events[:, sample - 1]
    return 1.0 + events + 0.1 * rng.standard_normal(events.shape)


def sampled(signal: np.ndarray, modality: str, step: float = 0.02, duration: object = None) -> xr.Dataset:
    """A recording of a signal (trial, sample, unit), `step` [s] apart."""
    trials, samples, units = signal.shape
    return recording(
        duration=samples * step if duration is None else duration,
        n_units=units, n_trials=trials, signal=signal, modality=modality, sample_time=np.arange(samples) * step,
    )  # fmt: skip


def _with(signal: np.ndarray, where: object, value: float) -> np.ndarray:
    signal[where] = value
    return signal


SIGNALS: Mapping[str, Callable[[str], xr.Dataset]] = {
    "a plain signal": lambda m: sampled(traces(), m),
    "constant traces": lambda m: sampled(np.ones((TRIALS, 80, UNITS)), m),
    "traces of zeros": lambda m: sampled(np.zeros((TRIALS, 80, UNITS)), m),
    "a constant trace": lambda m: sampled(_with(traces(), np.s_[:, :, 1], 2.0), m),
    "a trace that is constant in one trial": lambda m: sampled(_with(traces(), np.s_[0, :, 1], 2.0), m),
    "doubled traces": lambda m: sampled(traces()[:, :, [0, 0, 1, 2]], m),
    "a missing frame": lambda m: sampled(_with(traces(), np.s_[:, 40], np.nan), m),
    "many missing frames": lambda m: sampled(_with(traces(), np.s_[:, ::3], np.nan), m),
    "missing frames of one unit": lambda m: sampled(_with(traces(), np.s_[1, 30:35, 2], np.nan), m),
    "a unit never seen": lambda m: sampled(_with(traces(), np.s_[:, :, 3], np.nan), m),
    "nothing seen": lambda m: sampled(_with(traces(), np.s_[:], np.nan), m),
    "an infinite sample": lambda m: sampled(_with(traces(), np.s_[0, 7, 0], np.inf), m),
    "two traces, one constant": lambda m: sampled(_with(traces(2), np.s_[:, :, 1], 2.0), m),
    "steps": lambda m: sampled(np.round(traces()), m),
    "two traces": lambda m: sampled(traces(2), m),
    "one trace": lambda m: sampled(traces(1), m),
    "one trial": lambda m: sampled(traces(trials=1), m),
    "one sample": lambda m: sampled(traces(samples=1), m),
    "three samples": lambda m: sampled(traces(samples=3), m),
    "unequal trials": lambda m: sampled(traces(), m, duration=np.array([1.6, 0.4, 1.1])),
    "huge values": lambda m: sampled(1e12 * traces(), m),
    "tiny values": lambda m: sampled(1e-14 * traces(), m),
    "negative values": lambda m: sampled(-traces(), m),
    "an outlier": lambda m: sampled(_with(traces(), np.s_[1, 50, 0], 1e9), m),
    "more units than samples": lambda m: sampled(traces(12, 1, 8), m),
}
"""What the signal is of, and how it is made, given its modality."""
