"""How a rate network's simulation is cut up: steps of a trial into samples and blocks, trials into chunks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from simlab.contracts import SimlabError
from simlab.session import Session
from simlab.simulators.rate_inputs import Command


@dataclass(frozen=True)
class Steps:
    """The steps of one trial, counted from its onset: the burn-in's are negative."""

    dt: float  # s
    substeps: int  # per sample
    samples: int
    burn_in: int

    @classmethod
    def of(cls, session: Session, dt: float, sample_interval: float, burn_in: float) -> Steps:
        """Raises SimlabError unless sample_interval and burn_in [s] are whole numbers of steps, and a sample fits."""
        substeps, samples = _whole(sample_interval, dt, "sample_interval"), round(session.duration / sample_interval)
        if samples < 1:
            raise SimlabError(f"a trial of {session.duration} s holds no sample of {sample_interval} s: sample faster")
        return cls(dt, substeps, samples, _whole(burn_in, dt, "burn_in") if burn_in else 0)

    def blocks(self, length: int) -> Iterator[range]:
        """All steps from the burn-in's first on, at most `length` at a time."""
        last = self.samples * self.substeps
        for first in range(-self.burn_in, last, length):
            yield range(first, min(first + length, last))

    def samples_of(self, block: range) -> slice:
        """The samples that a block's steps are part of."""
        return slice(max(block.start, 0) // self.substeps, -(-max(block.stop, 0) // self.substeps))

    def segments(self, command: Command, block: range, length: int) -> np.ndarray:
        """(length,): which of a command's segments holds at each step of a block, by its middle; then the last one."""
        step = np.minimum(np.arange(block.start, block.start + length), block.stop - 1)
        return np.where(step < 0, 0, command.segment((step + 0.5) * self.dt))


def _whole(interval: float, dt: float, name: str) -> int:
    steps = round(interval / dt)
    if steps < 1 or abs(steps * dt - interval) > 1e-6 * interval:
        raise SimlabError(f"{name} must be a whole number of steps of dt={dt} s, got {interval} s")
    return steps


def chunks(trials: int, most: int) -> list[range]:
    """All trials in chunks of equal size, at most so many (or one); only the last may be smaller."""
    size = -(-trials // -(-trials // max(1, most)))
    return [range(first, min(first + size, trials)) for first in range(0, trials, size)]
