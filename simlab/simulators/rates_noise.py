"""Standard normal numbers for rate networks: each trial draws from streams of its own."""

from __future__ import annotations

import numpy as np

from simlab.simulators.normals import fill_normals

KINDS = ("input", "state")
"""What a trial has a stream for: with and without the one, the other's numbers are the same."""


class TrialNoise:
    """The streams of all trials of a session: SFC64 generators, whose four words (trial, kind, word) are kept here.

    A stream's numbers come in the order of steps, and of neurons within a step, however many are asked for at a time.
    Three words of each are drawn from `rng`, trial by trial, and the fourth counts; uniform words need no warming up.
    """

    def __init__(self, rng: np.random.Generator, trials: int):
        self.words = np.ones((trials, len(KINDS), 4), dtype=np.uint64)
        self.words[..., :3] = rng.integers(2**64, size=(trials, len(KINDS), 3), dtype=np.uint64)

    def fill(self, kind: str, trials: range, out: np.ndarray) -> None:
        """Fills out (trial, step, neuron) with the next numbers of these trials."""
        for trial, numbers in zip(trials, out, strict=True):
            fill_normals(self.words[trial, KINDS.index(kind)], numbers.reshape(-1))
