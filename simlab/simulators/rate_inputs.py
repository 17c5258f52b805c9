"""What a batched rate network is commanded to do: a task's inputs and effects, piecewise constant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simlab.contracts import SimlabError
from simlab.session import Effect, Session
from simlab.simulators.effects import changes, drive_at, engine_effects, gain_at, hold_at, of_kind


@dataclass(frozen=True, eq=False)
class Command:
    """Piecewise constant input: segment 0 is the burn-in's, segment k holds from `edges[k-1]` on."""

    edges: np.ndarray  # (segment - 1,) s
    current: np.ndarray  # (segment, trial, neuron), in the unit of the transfer function's argument
    clamp: np.ndarray | None  # the same shape, NaN is free; None if nothing is held
    gain: np.ndarray | None  # the same shape, on all synapses that a neuron makes; None if there is none
    pair_gain: np.ndarray | None  # (kind, pre, post): all the factors on pairs that occur; None if there is none
    pair_kind: np.ndarray | None  # (segment, trial): which of them

    @classmethod
    def of(
        cls,
        size: int,
        rheobase: float | np.ndarray,
        session: Session,
        inputs: np.ndarray | None,
        interval: float | None,
        dt: float,
    ) -> Command:
        """What a session and a task's inputs (trial, step, neuron), of steps of `interval` [s], command n units."""
        effects = engine_effects(session, size, dt)
        edges = {0.0, *changes(effects, session.duration)}
        if inputs is not None:
            _check_inputs(inputs, interval, session, size)
            edges |= set(np.arange(inputs.shape[1] + 1) * interval)
        starts, every = np.array(sorted(edges)), np.arange(session.trials)
        current = _task(inputs, interval, starts, session.trials, size)
        if drives := of_kind(effects, "drive"):
            current[1:] += rheobase * np.stack([drive_at(drives, start, every, size) for start in starts])
        clamp, gain = None, None
        if holds := of_kind(effects, "hold"):
            free = np.full((session.trials, size), np.nan)
            clamp = np.stack([free, *(hold_at(holds, start, every, size) for start in starts)])
        if gains := [effect for effect in of_kind(effects, "gain") if effect.over == "neuron"]:
            unit = np.arange(size)
            gain = np.stack([np.ones_like(current[0]), *(gain_at(gains, s, every, unit, unit) for s in starts)])
        return cls(starts, current, clamp, gain, *_pair_gains(effects, starts, every, size))

    def segment(self, times: np.ndarray) -> np.ndarray:
        """Which segment holds at each of these times (time,) [s]."""
        return np.searchsorted(self.edges, times, side="right")

    def factor(self, segment: int, trial: int) -> np.ndarray:
        """The gain (pre, post) on the synapses of a trial in a segment."""
        unit = np.ones(self.current.shape[-1]) if self.gain is None else self.gain[segment, trial]
        if self.pair_gain is None or self.pair_kind is None:
            return np.broadcast_to(unit[:, None], (len(unit), len(unit)))
        return unit[:, None] * self.pair_gain[self.pair_kind[segment, trial]]

    @property
    def bytes_per_trial(self) -> int:
        """Of the arrays that have a trial axis."""
        tables = (self.current, self.clamp, self.gain, self.pair_kind)
        return sum(each.nbytes for each in tables if each is not None) // self.current.shape[1]


def _task(inputs: np.ndarray | None, interval: float | None, starts: np.ndarray, trials: int, size: int) -> np.ndarray:
    """The task's current (segment, trial, neuron)."""
    current = np.zeros((len(starts) + 1, trials, size))
    if inputs is not None and interval is not None:
        current[0] = inputs[:, 0]
        step = np.round(starts / interval - 0.5 + 1e-6).astype(int)
        inside = step < inputs.shape[1]
        current[1:][inside] = np.swapaxes(inputs, 0, 1)[step[inside]]
    return current


def _check_inputs(inputs: np.ndarray, interval: float | None, session: Session, size: int) -> None:
    if interval is None or not interval > 0:
        raise SimlabError(f"inputs need an input_interval > 0 s, got {interval}")
    if inputs.ndim != 3 or inputs.shape[0] != session.trials or inputs.shape[2] != size:
        raise SimlabError(
            f"inputs must be (trial, step, neuron) for {session.trials} trials of {size} neurons, got {inputs.shape}"
        )


def _pair_gains(
    effects: Sequence[Effect], starts: np.ndarray, trials: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray] | tuple[None, None]:
    """The factors on pairs (kind, pre, post), each combination of effects once, and which (segment, trial) has it."""
    gains = [effect for effect in of_kind(effects, "gain") if effect.over == "pair"]
    if not gains:
        return None, None
    table: dict[tuple[tuple[int, int], ...], int] = {(): 0}
    factors, kind = [np.ones((size, size))], np.zeros((len(starts) + 1, len(trials)), dtype=int)
    for k, start in enumerate(starts, 1):
        now = [(i, gain.step_at(start)) for i, gain in enumerate(gains)]
        for trial in trials:
            mine = tuple((i, step) for i, step in now if step is not None and _acts(gains[i], trial))
            if mine not in table:
                table[mine] = len(factors)
                factors.append(np.prod([gains[i].steps[step] for i, step in mine], axis=0))
            kind[k, trial] = table[mine]
    return np.stack(factors), kind


def _acts(effect: Effect, trial: int) -> bool:
    return effect.trials is None or trial in effect.trials
