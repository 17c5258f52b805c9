"""The task that the memory circuits share, and the individual that does it: one value is shown, and then it is dark.

Rates come from a rate network (`simlab.simulators.rates`); spikes are drawn at them, so that a unit stands for a pool
of like cells of which one is recorded: its spikes' noise is averaged out before it reaches the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from simlab import truths
from simlab.contracts import SimlabError
from simlab.data import activity, anatomy
from simlab.session import Session, Stimulus, sampled

if TYPE_CHECKING:
    from simlab.simulators.rates import RateNetwork

CUE = 0.25
"""s of the trial in which the value is shown: a fixation or a cue (Compte et al. 2000: 0.25 s)."""

DT = 5e-3
"""Euler step [s]: a twentieth of a time constant of 100 ms."""

INTERVAL = 0.01
"""Sampling interval [s] of rates."""

TISSUE = 200e-6
"""Edge [m] of the cube in which the neurons lie."""

DRIVE_RATE = 20.0
"""Hz that a rheobase of steady current adds to an unconnected cell's rate (`simlab.simulators.given_rates`)."""


def value_session(trials: int, duration: float, rng: np.random.Generator) -> Session:
    """A value between -1 and 1 in each trial's first `CUE` seconds; then NaN."""
    values = np.full((trials, int(np.ceil(duration / CUE - 1e-9)), 1), np.nan)
    values[:, 0, 0] = rng.uniform(-1, 1, trials)
    return Session(trials, duration, Stimulus(("value",), values, CUE))


def shown(session: Session) -> np.ndarray:
    """The value shown (trial, sample) in every `INTERVAL` of the trial; NaN in the dark."""
    return sampled(session, "value", INTERVAL, "a memory is shown one feature, 'value'")


def slopes(n_neurons: int, depth: float, rng: np.random.Generator) -> np.ndarray:
    """Change of rate per unit of the value (neuron,) [Hz]: half rise with it and half fall, by 0.5 to 1.5 `depth`."""
    sign = rng.permutation(np.where(np.arange(n_neurons) % 2, -1.0, 1.0))
    return sign * depth * rng.uniform(0.5, 1.5, n_neurons)


def scattered(n_neurons: int, rng: np.random.Generator) -> xr.Dataset:
    """Neurons anywhere in the tissue."""
    return anatomy(rng.uniform(0, TISSUE, (n_neurons, 3)), ["E"] * n_neurons, "integrator")


@dataclass(frozen=True, eq=False)
class MemorySubject:
    """One individual.

    cells: whose `model` and `interval_cv` its spikes have. network: its equations. rest (neuron,) [Hz]: where trials
    begin. cue: values (...,) in -1..1 to the drive (..., neuron) that shows them. jitter (neuron,): drive per standard
    normal number of the input's noise, which is common to all and drawn afresh every `INTERVAL`. answers: its truths by
    question. replayed: its neurons only hear of the network, so that what is done to them reaches neither it nor each
    other.
    """

    circuit: Any
    cells: Any  # a LineAttractor
    network: RateNetwork
    rest: np.ndarray
    cue: Callable[[np.ndarray], np.ndarray]
    jitter: np.ndarray
    answers: dict[str, Callable[[], xr.Dataset]]
    anatomy: xr.Dataset
    replayed: bool = False

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Trials that begin under a value between -1 and 1 and go on in darkness."""
        return value_session(trials, duration, rng)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with the spikes of all neurons, or with `rate` [Hz] every 10 ms of the rate version."""
        from simlab.simulators.given_rates import renewal, under_effects

        time, rates = self.rates(session, rng)
        if self.replayed:
            rates = under_effects(session, rates, INTERVAL, DRIVE_RATE)
        if self.cells.model == "rate":
            return activity(session, rates.shape[2], rate=rates, time=time).assign_attrs(engine=_engine())
        spikes = renewal(np.maximum(rates, 0.0), INTERVAL, session.duration, rng, interval_cv=self.cells.interval_cv)
        return activity(session, rates.shape[2], spikes=spikes).assign_attrs(engine=_engine())

    def rates(self, session: Session, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Sample times (time,) [s] and rates (trial, time, neuron) [Hz] of the network, without a spike's noise."""
        from simlab.simulators.rates import simulate

        values = shown(session)
        inputs = _dark_is_zero(self.cue, values) + self.jitter * rng.normal(size=(*values.shape, 1))
        padded = Session(
            session.trials, values.shape[1] * INTERVAL, perturbations=() if self.replayed else session.perturbations
        )
        time, rates = simulate(
            self.network, padded, rng, dt=DT, sample_interval=INTERVAL, inputs=inputs,
            input_interval=INTERVAL, initial=np.tile(self.rest, (session.trials, 1)),
        )  # fmt: skip
        return time, rates.astype(float)

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """Whatever its circuit's `questions` name."""
        return truths.among(self.circuit.name, question, self.answers)


def _engine() -> str:
    from jax import __version__ as jax_version

    return f"numpy {np.__version__}, jax {jax_version}"


def kept_states(subject: MemorySubject, values: np.ndarray, duration: float = 2.0) -> np.ndarray:
    """Where the noise-free rates (value, neuron) [Hz] are, `duration` [s] after these values (value,) have gone."""
    from simlab.simulators.rates import settle

    current = subject.cue(values)
    start = np.tile(subject.rest, (len(values), 1))
    during = settle(subject.network, start, duration=CUE, dt=DT, current=current)
    return settle(subject.network, during, duration=duration, dt=DT)


def _dark_is_zero(cue: Callable[[np.ndarray], np.ndarray], values: np.ndarray) -> np.ndarray:
    """The cue's drive (trial, sample, neuron), which where nothing is shown (NaN) is none."""
    return np.where(np.isnan(values)[..., None], 0.0, cue(np.nan_to_num(values)))


def kept_for(seconds: float) -> xr.Dataset:
    """The truth about `timescale`; a SimlabError where what is remembered never fades."""
    if not np.isfinite(seconds):
        raise SimlabError("a memory has a timescale where it fades, got an eigenvalue of 1: choose one below it")
    return truths.one(timescale=seconds)


def wiring(weights: np.ndarray, units: str) -> xr.Dataset:
    """The truth about weights (pre, post) between pools; what a pool gives itself is no connection of two."""
    return truths.wiring(weights * ~np.eye(len(weights), dtype=bool), units)
