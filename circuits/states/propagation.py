"""Neurons without addresses that pass activity on from step to step: counts of spikes first, then who fired them."""

from __future__ import annotations

import numpy as np

from simlab.session import Effect, Session
from simlab.simulators.effects import drive_at, engine_effects, gain_at, hold_at
from simlab.simulators.renewal import Columns

DRIVE_RATE = 20.0
"""Hz that a rheobase of current adds to a neuron's rate; one of the other sign keeps it from firing at all."""


def propagate(
    session: Session,
    n_neurons: int,
    step: float,
    ratio: float,
    external: np.ndarray,
    start: np.ndarray,
    rng: np.random.Generator,
) -> Columns:
    """Spike columns (trial, time [s], neuron) of a population in which each spike causes `ratio` others a step later.

        A(t + 1) ~ Poisson(ratio A(t) + external(t)),   the neurons that fire being drawn anew in each step

    external (step, trial): spikes per step that come from elsewhere. start (trial,): spikes in the step before the
    first. A neuron fires at most once in a step, and at most half of them fire together; a spike's time is drawn
    within its step.

    Of effects, a `drive` adds spikes of the neuron's own, or prevents those that fall on it; a held neuron fires at its
    rate and at no other time; a `gain` is a factor on the number of spikes that a spike of i causes (in j).
    """
    effects = engine_effects(session, n_neurons, min(step, session.duration) * 1e-3)
    if effects:
        row, neuron = _perturbed(effects, n_neurons, step, ratio, external, start, rng)
    else:
        row, neuron = placed(_counts(n_neurons, ratio, external, start, rng).T.ravel(), n_neurons, rng)
    moment = row + rng.random(len(row))
    order = np.argsort(moment, kind="stable")
    trial, within = np.divmod(moment[order], len(external))
    seen = within * step < session.duration
    return trial[seen].astype(int), within[seen] * step, neuron[order][seen]


def settled(
    n_neurons: int, ratio: float, external: float, steps: int, trials: int, rng: np.random.Generator
) -> np.ndarray:
    """(trial,): spikes in a step of populations that have run for so many steps under a constant input."""
    start = np.full(trials, round(min(external / (1 - ratio), n_neurons / 2)))
    return _counts(n_neurons, ratio, np.full((steps, trials), external), start, rng)[-1]


def _counts(
    n_neurons: int, ratio: float, external: np.ndarray, start: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """(step, trial) spikes of the whole population."""
    count = np.empty(external.shape, dtype=np.int64)
    before = start
    for k, extra in enumerate(external):
        before = count[k] = np.minimum(rng.poisson(ratio * before + extra), n_neurons // 2)
    return count


def placed(counts: np.ndarray, n_neurons: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Row and neuron (spike,), in order: as many different neurons in each row as `counts` (row,) says."""
    row = np.repeat(np.arange(len(counts)), counts)
    cell = row * n_neurons + rng.integers(n_neurons, size=len(row))
    while True:
        cell.sort(kind="stable")
        again = np.flatnonzero(cell[1:] == cell[:-1])
        if not len(again):
            return row, cell - row * n_neurons
        cell[again] = row[again] * n_neurons + rng.integers(n_neurons, size=len(again))


def _perturbed(
    effects: tuple[Effect, ...],
    n_neurons: int,
    step: float,
    ratio: float,
    external: np.ndarray,
    start: np.ndarray,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Row (trial * steps + step) and neuron (spike,): parents and offspring one by one, as effects tell them apart."""
    steps, trials = external.shape
    every = np.arange(trials)
    trial, neuron = placed(start, n_neurons, rng)
    rows, neurons = [], []
    for k in range(steps):
        middle = (k + 0.5) * step
        trial, neuron = _offspring(effects, middle - step, trial, neuron, ratio, n_neurons, trials, rng)
        more = rng.poisson(external[k])
        trial = np.concatenate([trial, np.repeat(every, more)])
        neuron = np.concatenate([neuron, rng.integers(n_neurons, size=int(more.sum()))])
        current, held = (at(effects, middle, every, n_neurons) for at in (drive_at, hold_at))
        own = np.where(np.isnan(held), DRIVE_RATE * np.maximum(current, 0), held) * step
        fired = np.zeros(own.shape, dtype=bool)
        busy, cell = np.nonzero(own)
        fired[busy, cell] = rng.random(len(busy)) < own[busy, cell]
        _land(fired, trial, neuron, np.where(np.isnan(held), 1 + np.minimum(current, 0), 0.0), rng)
        trial, neuron = np.nonzero(fired)
        rows.append(trial * steps + k)
        neurons.append(neuron)
    row, who = np.concatenate(rows), np.concatenate(neurons)
    order = np.lexsort((who, row))
    return row[order], who[order]


def _land(
    fired: np.ndarray, trial: np.ndarray, neuron: np.ndarray, open_to: np.ndarray, rng: np.random.Generator
) -> None:
    """Makes neurons fire (trial, neuron) that spikes fall on, each with the chance that it is open to them.

    A spike that falls on one which fires already goes to another, as long as no more than half fire.
    """
    while len(trial):
        let = rng.random(len(trial)) < open_to[trial, neuron]
        trial, neuron = trial[let], neuron[let]
        first = np.zeros(len(trial), dtype=bool)
        first[np.unique(trial * fired.shape[1] + neuron, return_index=True)[1]] = True
        first &= ~fired[trial, neuron]
        fired[trial[first], neuron[first]] = True
        again = ~first & (fired.mean(axis=1) < 0.5)[trial]
        trial = trial[again]
        neuron = rng.integers(fired.shape[1], size=len(trial))


def _offspring(
    effects: tuple[Effect, ...],
    time: float,
    trial: np.ndarray,
    neuron: np.ndarray,
    ratio: float,
    n_neurons: int,
    trials: int,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Trial and neuron of the spikes that spikes (trial, neuron) at a time [s] cause, under the gains in force."""
    gains = [effect.steps for effect in effects if effect.kind == "gain"]
    most = float(np.prod([max(1.0, values.max()) for values in gains])) if ratio else 1.0
    parent = np.repeat(np.arange(len(trial)), rng.poisson(ratio * most, len(trial)))
    target = rng.integers(n_neurons, size=len(parent))
    if gains and len(parent):
        factor = gain_at(effects, time, np.arange(trials), neuron[parent], target)
        kept = rng.random(len(parent)) * most < factor[trial[parent], np.arange(len(parent))]
        parent, target = parent[kept], target[kept]
    return trial[parent], target
