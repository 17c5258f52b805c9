"""Centred kernel alignment, as it is mostly used, and without its bias."""

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
class Cka:
    """Alignment of the stimuli's inner products in both populations: <K, L> / (|K| |L|).

    Linear kernels of mean patterns about their mean (Kornblith et al. 2019, arXiv 1905.00414). With p and q units that
    do nothing but noise of one size it is not 0 but about sqrt(p q / ((p + n)(q + n))) of n stimuli, so that the more
    units, the more alike (Murphy et al. 2024, arXiv 2405.01012). debiased: with the unbiased estimate of <K, L>, in
    which no stimulus is compared with itself (Song et al. 2012, J Mach Learn Res 13:1393); it may be negative, and
    needs four stimuli.

    Verdict: stimuli permuted, which bias cannot fool. Cost: milliseconds.
    """

    name: ClassVar[str] = "cka"
    question: ClassVar[str] = "similarity"
    family: ClassVar[str] = "kernel alignment"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = NEEDS

    debiased: bool = False
    other_trials: bool = False  # of the second population than of the first
    window: Width = WHOLE  # s from each trial's onset that are looked at
    permutations: Repeats = 200
    alpha: Level = 0.05

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The alignment of mean patterns."""
        found = pair(recording, self.needs, other_trials=self.other_trials, window=self.window)
        if not isinstance(found, Pair):
            return found
        one, other = (centred(patterns(responses), self.debiased) for responses in found)
        size = float(np.sqrt(max((one * one).sum() * (other * other).sum(), 0.0)))
        if size <= 0:
            return Finding.abstain("no pattern of either population differs from another")

        def likeness(order: np.ndarray) -> float:
            return float((one * other[np.ix_(order, order)]).sum() / size)

        return Verdict(self.permutations, self.alpha).on(likeness, len(one), rng)


def centred(patterns: np.ndarray, debiased: bool) -> np.ndarray:
    """(stimulus, stimulus) inner products of patterns (stimulus, unit), of which products of two tables are taken.

    debiased: rows without their diagonal sum to zero (U-centring, Szekely & Rizzo 2014), which makes the sum of
    products n (n - 3) times the estimate of Song et al.
    """
    kernel = patterns @ patterns.T
    if not debiased:
        return np.asarray(kernel - kernel.mean(axis=0) - kernel.mean(axis=1)[:, None] + kernel.mean())
    n = len(kernel)
    np.fill_diagonal(kernel, 0.0)
    rows = kernel.sum(axis=0) / (n - 2)
    moved = kernel - rows - rows[:, None] + kernel.sum() / ((n - 1) * (n - 2))
    np.fill_diagonal(moved, 0.0)
    return np.asarray(moved)
