"""What a session's effects amount to at a time: one reading of them for both engines and for circuits without one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from simlab.contracts import SimlabError
from simlab.perturbations import INSTANT
from simlab.session import Effect, Session, effects_on


def engine_effects(session: Session, n_neurons: int, dt: float) -> tuple[Effect, ...]:
    """The session's effects, checked to fit these neurons and to be no finer than an engine's step dt [s]."""
    effects = effects_on(session, n_neurons)
    for effect in effects:
        width = (effect.stop - effect.start) / len(effect.steps)
        if width < dt * (1 - 1e-6):
            raise SimlabError(
                f"a {effect.kind} cannot change faster than this circuit's simulation, every {dt} s, "
                f"got steps of {width} s: make it last longer"
            )
    return effects


def of_kind(effects: Sequence[Effect], kind: str) -> tuple[Effect, ...]:
    """Those that are `drive`, `hold` or `gain`."""
    return tuple(effect for effect in effects if effect.kind == kind)


def changes(effects: Sequence[Effect], duration: float) -> np.ndarray:
    """(edge,) [s]: when any of them changes before the trial's end."""
    times = np.unique(np.concatenate([np.empty(0), *(effect.edges for effect in effects)]))
    return times[times < duration - 1e-9]


def drive_at(effects: Sequence[Effect], time: float, trials: np.ndarray, n_neurons: int) -> np.ndarray:
    """(trial, neuron) [rheobases] at a time [s]: the sum of the drives, in these trials (indices)."""
    total = np.zeros((len(trials), n_neurons))
    for rows, values, _ in _in_force(effects, "drive", time, trials):
        total[rows] += values
    return total


def hold_at(effects: Sequence[Effect], time: float, trials: np.ndarray, n_neurons: int) -> np.ndarray:
    """(trial, neuron) [Hz] that neurons are held at, NaN where they are free: the last effect that holds one wins."""
    rate = np.full((len(trials), n_neurons), np.nan)
    for rows, values, _ in _in_force(effects, "hold", time, trials):
        rate[rows] = np.where(np.isnan(values), rate[rows], values)
    return rate


def gain_at(
    effects: Sequence[Effect], time: float, trials: np.ndarray, pre: np.ndarray, post: np.ndarray
) -> np.ndarray:
    """(trial, synapse): the product of the gains on synapses from pre (synapse,) to post (synapse,)."""
    factor = np.ones((len(trials), len(pre)))
    for rows, values, over in _in_force(effects, "gain", time, trials):
        factor[rows] *= values[pre] if over == "neuron" else values[pre, post]
    return factor


def _in_force(
    effects: Sequence[Effect], kind: str, time: float, trials: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray, str]]:
    """Of each effect of a kind at a time: which of these trials (mask) it acts on, its values, what they are over."""
    for effect in effects:
        values = effect.at(time) if effect.kind == kind else None
        if values is not None:
            reached = np.ones(len(trials), bool) if effect.trials is None else np.isin(trials, effect.trials)
            yield reached, values, effect.over


def check_holds(effects: Sequence[Effect], refractory: float | np.ndarray) -> None:
    """Raises SimlabError where a neuron is to be held faster than its refractory period [s] (neuron,) allows."""
    for effect in of_kind(effects, "hold"):
        period = np.broadcast_to(np.asarray(refractory, dtype=float), effect.steps.shape[1:])
        too_fast = np.nan_to_num(effect.steps) * period > 1 + 1e-9
        if too_fast.any():
            limit = float(1 / period[too_fast.any(axis=0)].max())
            raise SimlabError(
                f"a neuron cannot be held above {limit:g} Hz, as its refractory period allows no more, "
                f"got {effect.steps[too_fast].max():g} Hz: hold it at a lower rate"
            )


def permanently_silent(session: Session, n_neurons: int) -> np.ndarray:
    """(neuron,) bool: who is held silent through all of every trial of a session, as after a lesion.

    A circuit that compensates may recognise a permanent loss by exactly that: silencing that begins later, ends
    earlier or leaves a trial out is acute, and so is a drive, however strong.
    """
    lost = np.zeros(n_neurons, dtype=bool)
    for effect in of_kind(effects_on(session, n_neurons), "hold"):
        trials = session.trials if effect.trials is None else len(effect.trials)
        always = effect.start <= INSTANT and effect.stop >= session.duration - INSTANT and trials == session.trials
        lost &= ~(effect.steps > 0).any(axis=0)
        lost |= always & (effect.steps == 0).all(axis=0)
    return lost
