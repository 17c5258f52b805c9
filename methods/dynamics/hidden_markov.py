"""A few states or a continuum? A Poisson hidden Markov model against a linear dynamical one, by held-out likelihood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr
from scipy.stats import norm

from methods.dynamics import _chains
from methods.dynamics._decisions import (
    LEAST,
    MOST,
    RAMPING,
    STEPPING,
    active,
    among,
    conditions,
    counts_from,
    folds,
    mean_and_z,
    onset,
    without_latent,
)  # fmt: skip
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Count, Width

FLOOR = 1e-3
"""Spikes per bin."""

PLACES = np.linspace(-3.0, 3.0, 49)
KEEPS = (0.85, 0.95, 1.0)
NOISES = (0.2, 0.35, 0.6, 1.0)
TOLD = (RAMPING, STEPPING)


@dataclass(frozen=True)
class HiddenMarkov:
    """Names steps where a hidden Markov model of a few states predicts new trials better than a continuous latent does.

    Discrete: `n_states` states with free transitions and Poisson rates (Abeles et al. 1995, PNAS 92:8609; Seidemann et
    al. 1996). Continuous: a one-dimensional linear dynamical system, x' = keep x + noise, on a grid of places, with
    rates interpolated between as many nodes as there are states: both have as many rates, and their likelihoods are
    exact and of the same counts. Neither knows conditions or bounds, so that it tells discrete from continuous whatever
    the task.

    Abstains with few active units or trials, and where neither beats a time course without a latent by two standard
    errors. Cost: some 5 s for 100 trials of 1 s.
    """

    name: ClassVar[str] = "hidden_markov"
    question: ClassVar[str] = "mechanism"
    family: ClassVar[str] = "hidden Markov model"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(("spikes",), units=2, trials=20)

    n_states: Annotated[int, Within(2, 10)] = 3
    width: Width = 0.025  # s
    n_folds: Annotated[int, Within(2, 20)] = 3
    rounds: Annotated[int, Within(1, 200)] = 20
    most_units: Count = 40  # the most active ones

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The verdict on a Recording; notes: nats per trial by which the continuum beats the states, and the gain."""
        refusal = active(recording, self.needs.units) or among(recording.attrs.get("brief", {}), {}, {}, TOLD)
        if refusal.abstained:
            return refusal
        start = onset(recording)
        if float(recording.attrs["duration"]) - start < 8 * self.width:
            return Finding.abstain(f"trials last less than 8 bins of {self.width} s beyond the stimulus's onset")
        counts = counts_from(recording, self.width, start)
        counts = counts[:, :, np.argsort(-counts.sum((0, 1)), kind="stable")[: self.most_units]]
        states, line, without = self._held_out(counts[:, :, counts.sum((0, 1)) > 0], conditions(recording), rng)
        difference, z = mean_and_z(line - states)
        gain, gain_z = max(mean_and_z(states - without), mean_and_z(line - without))
        if gain_z < 2:
            return Finding.abstain(
                f"no latent beats a time course by two standard errors (gain {gain:.2g} nats a trial)"
            )
        continuous = float(np.clip(norm.cdf(z), LEAST, MOST))
        notes = {"line_minus_states": difference, "z": z, "gain": gain, "gain_z": gain_z}
        weights = {RAMPING: continuous, STEPPING: 1 - continuous}
        return among(recording.attrs.get("brief", {}), weights, notes, TOLD)

    def _held_out(self, counts: np.ndarray, condition: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(model, trial): log likelihoods of states, a line and a time course, of trials left out of the fit."""
        fold = folds(condition, self.n_folds, rng)
        found = np.empty((3, len(counts)))
        for k in range(self.n_folds):
            train, test = counts[fold != k], counts[fold == k]
            ones = np.ones(train.shape[::2]), np.ones(test.shape[::2])
            without = without_latent(train, test, ones)
            levels = _levels(train, self.n_states)
            found[:, fold == k] = self._states(train, test, levels), self._line(train, test, levels), without
        return found

    def _states(self, train: np.ndarray, test: np.ndarray, levels: np.ndarray) -> np.ndarray:
        """(trial,) log likelihood by a chain of states, fitted by expectation and maximisation."""
        n = self.n_states
        start, moves = np.full(n, 1 / n), np.full((n, n), 0.05 / max(n - 1, 1)) + np.eye(n) * 0.95
        moves, ones = moves / moves.sum(axis=1, keepdims=True), np.ones(train.shape[::2])
        for _ in range(self.rounds):
            emission = _chains.emissions(train, levels, ones)
            _, chance, pairs = _chains.posterior(emission, start, moves)
            fired, lasted = np.einsum("tbk,tbu->ku", chance, train), chance.sum((0, 1))
            levels = np.maximum((fired + FLOOR) / (lasted[:, None] + 1.0), FLOOR)
            start = chance[:, 0].mean(axis=0) + 1e-3
            start, moves = start / start.sum(), pairs + 0.1
            moves = moves / moves.sum(axis=1, keepdims=True)
        return _chains.likelihood(_chains.emissions(test, levels, np.ones(test.shape[::2])), start, moves)

    def _line(self, train: np.ndarray, test: np.ndarray, levels: np.ndarray) -> np.ndarray:
        """(trial,) log likelihood by a linear latent: the best of a table, levels by expectation and maximisation."""
        basis = _chains.tents(PLACES, np.linspace(-2.0, 2.0, self.n_states))
        start = np.exp(-((PLACES / 0.7) ** 2) / 2)
        start, ones = start / start.sum(), np.ones(train.shape[::2])
        every = [
            _chains.diffusing(PLACES, 0.0, noise, (False, False), keep) for keep in KEEPS for noise in NOISES
        ]  # fmt: skip
        moves = every[len(every) // 2]
        for turn in range(self.rounds // 2):
            emission = _chains.emissions(train, np.maximum(basis @ levels, FLOOR), ones)
            if turn % 3 == 2:
                totals = [_chains.likelihood(emission, start, each).sum() for each in every]
                moves = every[int(np.argmax(totals))]
            _, chance, _ = _chains.posterior(emission, start, moves)
            fired, lasted = np.einsum("tbk,tbu->ku", chance, train), np.einsum("tbk,tu->ku", chance, ones)
            levels = _chains.refined(levels, basis, fired, lasted, FLOOR)
        emission = _chains.emissions(test, np.maximum(basis @ levels, FLOOR), np.ones(test.shape[::2]))
        return _chains.likelihood(emission, start, moves)


def _levels(counts: np.ndarray, n_states: int) -> np.ndarray:
    """(state, unit) first guesses: mean counts of bins sorted along the main axis of smoothed activity."""
    n_bins = counts.shape[1]
    length = max(1, n_bins // 8)
    whole = counts[:, : length * (n_bins // length)]
    coarse = whole.reshape(len(counts), -1, length, counts.shape[2]).mean(axis=2).reshape(-1, counts.shape[2])
    spread = np.sqrt(coarse) - np.sqrt(coarse).mean(axis=0)
    along = spread @ np.linalg.svd(spread, full_matrices=False)[2][0]
    parts = np.array_split(np.argsort(along, kind="stable"), n_states)
    return np.maximum(np.stack([coarse[part].mean(axis=0) for part in parts]), FLOOR)
