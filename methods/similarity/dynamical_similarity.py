"""Dynamical similarity analysis: is one population's flow the other's, turned?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.latents._factors import refused, seen
from methods.latents.pca_latents import Smoothing
from methods.similarity._populations import LEAST_UNITS
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Repeats, Width


@dataclass(frozen=True)
class DynamicalSimilarity:
    """Linear flows of delay-embedded states, compared after the best rotation (Ostrow et al. 2023, arXiv 2306.10168).

    A population's activity, as principal components, is embedded with `delays` steps of `lag` bins and reduced to
    `rank` whitened coordinates, in which a regression on their past (dynamic mode decomposition) gives a matrix A. The
    distance of two is the least |A - C B C'| over orthogonal C, over sqrt(|A|^2 + |B|^2).

    The measure has no verdict of its own. Here: each population's units are halved at random, `splits` times, and each
    half is embedded by itself, in half of the trials. Halves of one population share their flow for certain, and differ
    by what embedding and estimation make. `shared`: halves of different populations are, on average, no further
    apart than those of one are in one split of twenty. `similarity`: 1 less that average. Cost: seconds.
    """

    name: ClassVar[str] = "dynamical_similarity"
    question: ClassVar[str] = "shared_mechanism"
    family: ClassVar[str] = "dynamical similarity"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(units=4, trials=4, seconds=5.0)

    bin_width: Width = 0.02  # s, of spike counts
    smoothing: Smoothing = 0.0  # s, sd of the Gaussian kernel
    components: Annotated[int, Within(1, 100)] = 6  # principal ones, at most
    delays: Annotated[int, Within(1, 100)] = 10
    lag: Annotated[int, Within(1, 100)] = 3  # bins from one delay to the next, and from state to predicted state
    rank: Annotated[int, Within(1, 30)] = 6
    splits: Repeats = 10

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """How alike flows are; abstains where there are not two populations, or trials are too short to embed."""
        if "unit_region" not in recording:
            return Finding.abstain("needs two populations, and all units of this recording are of one")
        if (refusal := refused(recording, self.needs)) is not None:
            return refusal
        found = seen(recording, self.bin_width, self.smoothing)
        region = recording["unit_region"].values[found.active]
        sides = [np.flatnonzero(region == p) for p in np.unique(region)]
        if len(sides) != 2 or min(map(len, sides)) < 2 * LEAST_UNITS:
            return Finding.abstain(
                f"needs two populations of {2 * LEAST_UNITS} active units each, got {[len(units) for units in sides]}"
            )
        if found.values.shape[1] < self.lag * (self.delays + 1):
            return Finding.abstain(f"trials of {found.values.shape[1]} bins are too short for {self.delays} delays")
        between, within = np.array([self._split(found.z_scored, sides, rng) for _ in range(self.splits)]).T
        limit = float(np.quantile(within, 0.95))
        apart = float(between.mean())
        notes = {"between": apart, "within": float(within.mean()), "limit": limit}
        return Finding({"shared": bool(apart <= limit), "similarity": 1 - apart}, notes=notes)

    def _split(self, values: np.ndarray, sides: list[np.ndarray], rng: np.random.Generator) -> tuple[float, float]:
        """Mean distance of halves of different populations, and of halves of one; values (trial, bin, unit)."""
        trials = np.array_split(rng.permutation(len(values)), 2)
        halves = [np.array_split(rng.permutation(units), 2) for units in sides]
        states = [[self.states(values[t][:, :, u]) for t, u in zip(trials, h, strict=True)] for h in halves]
        rank = min(state.shape[2] for half in states for state in half)  # copies of a unit add no coordinate
        flows = [[operator(x[:, : -self.lag, :rank], x[:, self.lag :, :rank]) for x in half] for half in states]
        within = [distance(first, second, rng) for first, second in flows]
        between = [distance(flows[0][k], flows[1][1 - k], rng) for k in (0, 1)]
        return float(np.mean(between)), float(np.mean(within))

    def states(self, values: np.ndarray) -> np.ndarray:
        """(trial, bin, coordinate): values (trial, bin, unit), embedded; the first coordinates vary most."""
        x = leading(values, self.components, white=False)
        last = x.shape[1] - self.lag * (self.delays - 1)
        stacked = np.concatenate([x[:, self.lag * k : self.lag * k + last] for k in range(self.delays)], axis=2)
        return leading(stacked, self.rank, white=True)


def leading(values: np.ndarray, number: int, *, white: bool) -> np.ndarray:
    """(trial, bin, component): values (trial, bin, unit) along their first principal axes, of variance 1 if white."""
    moved = values - values.mean(axis=(0, 1))
    flat = moved.reshape(-1, moved.shape[2])
    size, axes = np.linalg.eigh(flat.T @ flat / len(flat))
    kept = np.flatnonzero(size > 1e-9 * size.max())[::-1][:number]
    return np.asarray(moved @ (axes[:, kept] / (np.sqrt(size[kept]) if white else 1.0)))


def operator(now: np.ndarray, later: np.ndarray) -> np.ndarray:
    """(coordinate, coordinate) A with later = A now, by least squares; both (trial, state, coordinate)."""
    x, y = (part.reshape(-1, part.shape[2]) for part in (now, later))
    return np.asarray(np.linalg.lstsq(x, y, rcond=None)[0].T)


def distance(a: np.ndarray, b: np.ndarray, rng: np.random.Generator, starts: int = 4, steps: int = 200) -> float:
    """The least |A - C B C'| over orthogonal C, over sqrt(|A|^2 + |B|^2): 0 of flows that are alike up to a turn.

    Steepest ascent of tr(A' C B C') on the orthogonal group, from random starts with either orientation, of which the
    best counts: the problem has other local maxima.
    """
    size = float((a**2).sum() + (b**2).sum())
    if size <= 0:
        return 0.0
    best = max(_aligned(a, b, np.linalg.qr(rng.standard_normal(a.shape))[0], steps) for _ in range(starts))
    best = max(best, float((a * b).sum()))
    return float(np.sqrt(max(size - 2 * best, 0.0) / size))


def _aligned(a: np.ndarray, b: np.ndarray, c: np.ndarray, steps: int) -> float:
    """tr(A' C B C') at a local maximum near C; steps halve where they do not help and grow where they do."""
    identity, rate = np.eye(len(a)), 1.0 / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-12)
    value = float((a * (c @ b @ c.T)).sum())
    for _ in range(steps):
        turned = c @ b @ c.T
        slope = a @ turned.T + a.T @ turned
        slope = (slope - slope.T) / 2
        if float(np.abs(slope).max()) * rate < 1e-7:
            break
        moved = np.linalg.solve(identity - rate / 2 * slope, identity + rate / 2 * slope) @ c
        new = float((a * (moved @ b @ moved.T)).sum())
        c, value, rate = (moved, new, 1.3 * rate) if new > value else (c, value, rate / 2)
    return value
