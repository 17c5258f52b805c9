"""What a batched rate network is commanded to do: a task's inputs, perturbations and clamps, piecewise constant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simlab.contracts import SimlabError
from simlab.session import SILENCE_CURRENT, Session, neuron_perturbations, pulsed_trials


@dataclass(frozen=True, eq=False)
class Command:
    """Piecewise constant input: segment 0 is the burn-in's, segment k holds from `edges[k-1]` on."""

    edges: np.ndarray  # (segment - 1,) s
    current: np.ndarray  # (segment, trial, neuron), in the unit of the transfer function's argument
    clamp: np.ndarray  # the same shape, or one segment if nothing is clamped; NaN is free

    @classmethod
    def of(
        cls,
        size: int,
        rheobase: float | np.ndarray,
        session: Session,
        inputs: np.ndarray | None,
        interval: float | None,
    ) -> Command:
        pulses = neuron_perturbations(session, size)
        edges = {0.0, *(p.start for p in pulses), *(p.stop for p in pulses)}
        if inputs is not None:
            _check_inputs(inputs, interval, session, size)
            edges |= set(np.arange(inputs.shape[1] + 1) * interval)
        starts = np.array(sorted(edges))
        current = np.zeros((len(starts) + 1, session.trials, size))
        clamp = np.full_like(current, np.nan) if any(p.kind == "clamp" for p in pulses) else current[:1] * np.nan
        if inputs is not None:
            current[0] = inputs[:, 0]
            step = np.round(starts / interval - 0.5 + 1e-6).astype(int)
            inside = step < inputs.shape[1]
            current[1:][inside] = np.swapaxes(inputs, 0, 1)[step[inside]]
        for pulse in pulses:
            when = 1 + np.flatnonzero((starts >= pulse.start - 1e-9) & (starts < pulse.stop - 1e-9))
            where = np.ix_(when, pulsed_trials(pulse, session.trials))
            if pulse.kind == "clamp":
                clamp[where] = np.where(pulse.strength != 0, pulse.strength, clamp[where])
            else:
                gain = 1.0 if pulse.kind == "stimulate" else -SILENCE_CURRENT
                current[where] += gain * pulse.strength * rheobase
        return cls(starts, current, clamp)

    def segment(self, times: np.ndarray) -> np.ndarray:
        """Which segment holds at each of these times (time,) [s]."""
        return np.searchsorted(self.edges, times, side="right")


def _check_inputs(inputs: np.ndarray, interval: float | None, session: Session, size: int) -> None:
    if interval is None or not interval > 0:
        raise SimlabError(f"inputs need an input_interval > 0 s, got {interval}")
    if inputs.ndim != 3 or inputs.shape[0] != session.trials or inputs.shape[2] != size:
        raise SimlabError(
            f"inputs must be (trial, step, neuron) for {session.trials} trials of {size} neurons, got {inputs.shape}"
        )
