"""Procrustes: how well one population's patterns are turned into the other's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from methods.similarity._populations import NEEDS, WHOLE, Pair, Verdict, pair, patterns
from simlab.contracts import Finding, Needs
from simlab.rules import check_fields
from simlab.rules.quantities import Level, Repeats, Width


@dataclass(frozen=True)
class ProcrustesDistance:
    """The angle between two sets of patterns after the best rotation: arccos(|X' Y|_* / (|X| |Y|)).

    X, Y (stimulus, unit): mean patterns about their mean; |.|_* the sum of singular values. A metric on shapes
    (Williams et al. 2021, arXiv 2110.14739). `similarity` is the angle's cosine: 1 of the same shape, and well above 0
    of two that have nothing in common but many units, since a rotation is fitted to noise as well. Verdict: stimuli
    permuted. Cost: a tenth of a second.
    """

    name: ClassVar[str] = "procrustes_distance"
    question: ClassVar[str] = "similarity"
    family: ClassVar[str] = "representational geometry"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = NEEDS

    other_trials: bool = False  # of the second population than of the first
    window: Width = WHOLE  # s from each trial's onset that are looked at
    permutations: Repeats = 200
    alpha: Level = 0.05

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The cosine of the angle of mean patterns."""
        found = pair(recording, self.needs, other_trials=self.other_trials, window=self.window)
        if not isinstance(found, Pair):
            return found
        one, other = (in_own_axes(patterns(responses)) for responses in found)
        if not (one.any() and other.any()):
            return Finding.abstain("no pattern of either population differs from another")
        return Verdict(self.permutations, self.alpha).on(lambda order: cosine(one, other[order]), len(one), rng)


def in_own_axes(patterns: np.ndarray) -> np.ndarray:
    """Patterns (stimulus, unit) of size 1 along no more axes than there are stimuli: the shape stays."""
    left, size, _ = np.linalg.svd(patterns, full_matrices=False)
    return np.asarray(left * (size / max(float(np.linalg.norm(size)), 1e-300)))


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    """Of the angle between two sets of patterns (stimulus, axis) of size 1."""
    return float(np.linalg.svd(one.T @ other, compute_uv=False).sum())
