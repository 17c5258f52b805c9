"""Activity and tissue for the tests of instruments and exchange; no circuit needed."""

import numpy as np
import xarray as xr

from simlab.data import activity, anatomy
from simlab.data.clock import TICK
from simlab.session import Session, Stimulus


def tissue(n_neurons: int, side: float = 200e-6, seed: int = 0) -> xr.Dataset:
    """A cube of randomly placed neurons, four fifths of them excitatory."""
    n_excitatory = round(0.8 * n_neurons)
    types = ["E"] * n_excitatory + ["I"] * (n_neurons - n_excitatory)
    return anatomy(np.random.default_rng(seed).uniform(0, side, (n_neurons, 3)), types)


def poisson_activity(
    n_neurons: int, *, trials: int = 10, duration: float = 10.0, rate: float = 5.0, seed: int = 0, session=None
) -> xr.Dataset:
    """Independent Poisson neurons of one rate [Hz]."""
    rng = np.random.default_rng(seed)
    session = session or Session(trials, duration)
    counts = rng.poisson(rate * session.duration * session.trials, n_neurons)
    total = counts.sum()
    spikes = (
        rng.integers(session.trials, size=total),
        rng.uniform(0, session.duration, total),
        np.repeat(np.arange(n_neurons), counts),
    )
    return activity(session, n_neurons, spikes=spikes)


def told_apart(seen: xr.Dataset, seed: int = 0) -> xr.Dataset:
    """The activity with each spike somewhere within its tick, so that its time says which spike it is."""
    columns = [seen[name].values for name in ("spike_neuron", "spike_time", "spike_trial")]
    columns[1] = columns[1] + TICK * np.random.default_rng(seed).random(len(columns[1]))
    order = np.lexsort(columns)
    neuron, time, trial = (column[order] for column in columns)
    return seen.assign(spike_neuron=("spike", neuron), spike_time=("spike", time), spike_trial=("spike", trial))


def spikes_at(times: list[float], *, duration: float = 4.0, n_neurons: int = 1) -> xr.Dataset:
    """One trial in which neuron 0 fires at these times [s]."""
    zeros = np.zeros(len(times), dtype=int)
    return activity(Session(1, duration), n_neurons, spikes=(zeros, np.array(times), zeros))


def rates_only(n_neurons: int, trials: int = 2) -> xr.Dataset:
    """An Activity without spikes: each neuron's rate is its number."""
    time = np.arange(0, 1, 0.1)
    rate = np.broadcast_to(np.arange(n_neurons, dtype=float), (trials, len(time), n_neurons))
    return activity(Session(trials, 1.0), n_neurons, rate=rate, time=time)


def shown(trials: int, duration: float) -> Session:
    """A session with a two-feature stimulus (NaN in its first step) and conditions."""
    values = np.random.default_rng(5).normal(size=(trials, 4, 2))
    values[:, 0] = np.nan
    stimulus = Stimulus(("angle", "contrast"), values, duration / 4)
    return Session(trials, duration, stimulus, tuple(range(trials)))


def origins(activity: xr.Dataset, recording: xr.Dataset) -> np.ndarray:
    """The neuron behind each recorded spike of an activity that is `told_apart`; -1 for noise.

    Sorting leaves spike times as they are, so they match.
    """
    moments = activity["spike_trial"].values * 1e3 + activity["spike_time"].values
    order = np.argsort(moments)
    wanted = recording["spike_trial"].values * 1e3 + recording["spike_time"].values
    place = np.minimum(np.searchsorted(moments[order], wanted), len(moments) - 1)
    hit = moments[order][place] == wanted
    return np.where(hit, activity["spike_neuron"].values[order][place], -1)


def unequal_activity(rates: np.ndarray, seconds: float, seed: int) -> xr.Dataset:
    """Poisson neurons of these rates (neuron,) [Hz], in one trial."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rates * seconds)
    neuron = np.repeat(np.arange(len(rates)), counts)
    return activity(
        Session(1, seconds), len(rates), spikes=(np.zeros_like(neuron), rng.uniform(0, seconds, len(neuron)), neuron)
    )
