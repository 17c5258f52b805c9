"""A chunk of trials of a rate network, taken from the burn-in's first step to the last, block by block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from simlab.contracts import SimlabError
from simlab.simulators.quiet_jax import jnp
from simlab.simulators.rate_inputs import Command
from simlab.simulators.rates_integration import Amplitudes, Commanded, State, advance
from simlab.simulators.rates_network import Constants, RateNetwork, double
from simlab.simulators.rates_noise import TrialNoise
from simlab.simulators.rates_stability import finite, first_failure, lost_row, run_away
from simlab.simulators.rates_steps import Steps

BLOCK = 2**20
"""Random numbers of one kind in a block of steps (8 MiB): fewer take longer, by what each block costs beside them."""

LONGEST = 4096
"""Steps in a block, so that a short session of a few units does not pay for what it leaves empty."""


class Chunk:
    """Trials that are integrated together (inside `jax.enable_x64`).

    size: of the batch, which repeats of the last trial fill up, so that one compiled shape serves all chunks.
    """

    def __init__(
        self, network: RateNetwork, steps: Steps, command: Command, start: np.ndarray, trials: range, size: int
    ):
        self.network, self.steps, self.command, self.trials = network, steps, command, trials
        rows = np.minimum(np.arange(trials.start, trials.start + size), trials.stop - 1)
        self.start = start[rows]
        self._constants, self._amplitudes = Constants.of(network), Amplitudes.of(network)
        self._commanded = Commanded.of(command, rows, network.weights)
        self._length = int(np.clip(BLOCK // max(1, self.start.size), 1, LONGEST))
        shape = (size, self._length, network.size)
        self._numbers = {kind: np.zeros(shape) for kind in self._amplitudes.kinds}

    def run(self, noise: TrialNoise) -> Iterator[tuple[slice, np.ndarray]]:
        """Yields which samples are next, and them (trial, sample, neuron); the last may come again, then finished.

        Raises SimlabError where rates run away.
        """
        state = State(double(self.start), jnp.zeros(self.start.shape))
        for block in self.steps.blocks(self._length):
            for kind, numbers in self._numbers.items():
                noise.fill(kind, self.trials, numbers[: len(self.trials), : len(block)])
            before = state
            state, means = self._advance(before, block, len(block))
            samples = self.steps.samples_of(block)
            done = self._real(means)[:, : samples.stop - samples.start]
            if not finite(self._real(state.x), done):
                raise self._lost(before, block)
            yield samples, done

    def _real(self, values: object) -> np.ndarray:
        """Values (trial, ...) without the repeats; this also waits until they are computed."""
        return np.asarray(values)[: len(self.trials)]

    def _advance(self, state: State, block: range, steps: int) -> tuple[State, object]:
        return advance(
            self._constants, self._amplitudes, self._commanded, state, self._numbers,
            self.steps.segments(self.command, block, self._length), block.start, steps, self.steps.substeps,
            self.steps.dt, transfer=self.network.transfer,
        )  # fmt: skip

    def _lost(self, before: State, block: range) -> SimlabError:
        """The error of a block in which states run away: steps are taken again to find the one that did."""

        def after(steps: int) -> np.ndarray:
            return self._real(self._advance(before, block, steps)[0].x)

        steps = first_failure(len(block), after)
        row = lost_row(after(steps))
        trial, segment = self.trials[row], self.steps.segments(self.command, block, len(block))[steps - 1]
        weights = self.network.weights * self.command.factor(segment, trial)
        time = (block.start + steps) * self.steps.dt
        return run_away(
            replace(self.network, weights=weights, factors=None), self.start[row], self.command.current[segment, trial],
            self.steps.dt, time, f"trial {trial} of the rate network",
        )  # fmt: skip
