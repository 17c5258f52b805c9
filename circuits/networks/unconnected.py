"""What rivals without synapses have in common: neurons at the rates of a network's, under whatever is done to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from circuits.networks.balanced_ei import BalancedEI, BalancedEISubject
from simlab import truths
from simlab.data import activity
from simlab.session import Effect, Session

if TYPE_CHECKING:
    from simlab.simulators.lif_theory import WorkingPoint
    from simlab.simulators.renewal import Columns

Draw = Callable[[Iterable[np.ndarray], np.ndarray], "Columns"]
"""Draws spike columns, given rates (trial, neuron) [Hz] from each of the edges (segment + 1,) [s] to the next."""


def run(
    like: BalancedEI,
    matched: WorkingPoint,
    session: Session,
    rng: np.random.Generator,
    draw: Draw,
    steps: Iterable[float] = (),
) -> xr.Dataset:
    """An Activity of neurons with the inputs of a network's (`matched`), which answer currents and holds as these do.

    `draw` makes the spikes of free neurons; steps [s]: where it wants a new segment.
    """
    from simlab.simulators.effects import changes, check_holds, engine_effects
    from simlab.simulators.renewal import apart

    effects = engine_effects(session, like.n_neurons, like.dt)
    check_holds(effects, like.refractory)
    edges = np.unique([0.0, session.duration, *changes(effects, session.duration), *steps])
    rates = (_free_rates(like, matched, effects, session.trials, start) for start in edges[:-1])
    spikes = draw(rates, edges)
    if any(effect.kind == "hold" for effect in effects):
        spikes = apart(spikes, _held_spikes(like, effects, session, rng), like.refractory)
    return activity(session, like.n_neurons, spikes=spikes).assign_attrs(engine=f"numpy {np.__version__}")


def _free_rates(
    like: BalancedEI, matched: WorkingPoint, effects: tuple[Effect, ...], trials: int, time: float
) -> np.ndarray:
    """(trial, neuron) [Hz] from `time` [s] to the next change of an effect; 0 for neurons that are held."""
    from simlab.simulators.effects import drive_at, hold_at

    every = np.arange(trials)
    current = drive_at(effects, time, every, like.n_neurons)
    rates = np.broadcast_to(matched.rate, current.shape).copy()
    trial, neuron = np.nonzero(current)
    mean = matched.mean[neuron] + (like.threshold - like.rest) * current[trial, neuron]
    rates[trial, neuron] = like.neuron.rate(mean, matched.sd[neuron])
    return np.where(np.isnan(hold_at(effects, time, every, like.n_neurons)), rates, 0.0)


def _held_spikes(like: BalancedEI, effects: tuple[Effect, ...], session: Session, rng: np.random.Generator) -> Columns:
    """Spike columns (trial, time [s], neuron) of neurons that are held, at the steps at which a network's fire."""
    from simlab.simulators.effects import of_kind
    from simlab.simulators.spiking_inputs import Commands, Schedule

    steps = range(round(session.duration / like.dt))
    commands = Commands(of_kind(effects, "hold"), np.arange(session.trials), like.n_neurons, steps, like.dt)
    made = Schedule.of(commands, rng.random(session.trials * like.n_neurons))
    trial, neuron = np.divmod(made.cell, like.n_neurons)
    return trial, made.step * like.dt, neuron


def wandering(
    session: Session, starts: np.ndarray, n_paths: int, time_constant: float, rng: np.random.Generator
) -> np.ndarray:
    """(segment, trial, path): Ornstein-Uhlenbeck processes of variance 1 and this time constant [s].

    starts (segment,) [s]: of the segments of a trial; a path goes on from trial to trial, as trials follow one another
    without a pause.
    """
    when = (np.arange(session.trials)[:, None] * session.duration + starts).ravel()
    z = rng.standard_normal((len(when), n_paths))
    for k, decay in enumerate(np.exp(-np.diff(when) / time_constant), 1):
        z[k] = decay * z[k - 1] + np.sqrt(1 - decay**2) * z[k]
    return np.swapaxes(z.reshape(session.trials, len(starts), -1), 0, 1)


def scaled(rates: Iterable[np.ndarray], factors: Iterable[np.ndarray], dead_time: float) -> Iterator[np.ndarray]:
    """Rates (trial, neuron) [Hz] of each segment times their factors, no higher than the dead time [s] allows."""
    limit = 1 / dead_time if dead_time > 0 else np.inf
    for rate, factor in zip(rates, factors, strict=True):
        yield np.minimum(rate * factor, limit)


def places(twin: BalancedEISubject) -> xr.Dataset:
    """The anatomy of a twin without its contacts, which neurons that have no synapse do not make."""
    return twin.anatomy.drop_dims(["pre", "post"], errors="ignore")


def truth(who: str, question: str, n_neurons: int) -> xr.Dataset:
    """`connectivity` and `effect`: no synapse at all, and so no response."""
    answers = {
        "connectivity": lambda: truths.no_wiring(n_neurons),
        "effect": lambda: truths.no_responses(n_neurons),
    }
    return truths.among(who, question, answers)
