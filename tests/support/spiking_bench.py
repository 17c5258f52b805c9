"""What the tests of the spiking circuits measure, each activity simulated once in a test run."""

from __future__ import annotations

from functools import cache

import numpy as np
import xarray as xr

from simlab.data import bin_spikes
from simlab.registry import create
from simlab.session import Effect, Session
from simlab.streams import stream

TRIALS, DURATION = 60, 2.0


@cache
def subject(name: str, seed: int = 1):
    """The circuits match twins drawn from the same seed: subject(rival, s) has subject("balanced_ei", s) for a twin."""
    return create("circuits", name).subject(stream(seed, "subject"))


@cache
def spontaneous(name: str, seed: int = 1) -> xr.Dataset:
    """60 trials x 2 s: 120 s of 100 neurons."""
    return subject(name, seed).run(Session(TRIALS, DURATION), stream(seed, "run", name))


def interval_cvs(activity: xr.Dataset) -> np.ndarray:
    """Coefficient of variation of each neuron's intervals within trials (neuron,)."""
    neuron, trial, time = (activity[f"spike_{name}"].values for name in ("neuron", "trial", "time"))
    order = np.lexsort((time, trial, neuron))
    within = (np.diff(trial[order]) == 0) & (np.diff(neuron[order]) == 0)
    intervals, owner = np.diff(time[order])[within], neuron[order][1:][within]
    groups = [intervals[owner == i] for i in range(activity.sizes["neuron"])]
    return np.array([g.std() / g.mean() for g in groups])


def count_correlations(activity: xr.Dataset, width: float = 0.1) -> np.ndarray:
    """Pairwise correlations of spike counts in bins of `width` [s], (pair,)."""
    counts = bin_spikes(activity, width).values
    matrix = np.corrcoef(counts.reshape(-1, counts.shape[-1]).T)
    return matrix[np.triu_indices(len(matrix), 1)]


def reliable_spread(activity: xr.Dataset) -> float:
    """Standard deviation over pairs of the true count correlations: covariance between two halves of the data."""
    counts = bin_spikes(activity, 0.1).values
    halves = [np.corrcoef(h.reshape(-1, h.shape[-1]).T) for h in (counts[::2], counts[1::2])]
    pairs = [h[np.triu_indices(len(h), 1)] for h in halves]
    return float(np.sqrt(max(np.cov(*pairs)[0, 1], 0.0)))


def kick_session(hold: np.ndarray, duration: float = 0.31, kick: float = 0.3, probe: float = 1.0) -> Session:
    """One trial for each neuron, which is made to fire at `kick` [s] while all are held at `hold` [rheobases].

    3 ms later everybody gets a weak pulse, so that neurons just below threshold fire unless they were inhibited.
    """
    n = len(hold)
    pulses = [Effect("drive", hold, 0.0, duration)]
    pulses.append(Effect("drive", np.full(n, probe), kick + 3e-3, kick + 5e-3))
    for neuron in range(n):
        strength = np.where(np.arange(n) == neuron, 50.0, 0.0)
        pulses.append(Effect("drive", strength, kick, kick + 1e-4, trials=(neuron,)))
    return Session(n, duration, perturbations=tuple(pulses))


def fired(activity: xr.Dataset, start: float, stop: float) -> np.ndarray:
    """(trial, neuron): who fired in this window [s]."""
    shape = (activity.sizes["trial"], activity.sizes["neuron"])
    inside = (activity["spike_time"].values >= start - 1e-9) & (activity["spike_time"].values < stop - 1e-9)
    result = np.zeros(shape, bool)
    result[activity["spike_trial"].values[inside], activity["spike_neuron"].values[inside]] = True
    return result
