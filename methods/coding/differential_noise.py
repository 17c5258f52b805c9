"""Which way noise points: along the change that the stimulus makes, or across it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from methods.coding._discrimination import Seen, seen, sums
from simlab.contracts import Finding, Needs
from simlab.rules import check_fields
from simlab.rules.quantities import Level, Repeats


@dataclass(frozen=True)
class DifferentialNoise:
    """Names a mechanism by whether the common noise of units points along the code.

    In units of each one's own noise, the excess of variance along the normalised change d between the two stimuli,
    d^T (R - 1) d with R the noise correlations, is compared with what it is where the signs of d are drawn at random:
    noise of the same sizes that does not know the code. d is from one half of the trials and R from the other, in turn,
    so that errors of neither look like the other. Differential correlations are too weak for pairs (Moreno-Bote et al.
    2014, Nat Neurosci 17:1410), and are summed here over all of them. Confidence is that of the test; where nothing is
    significant, a faint limit may be there all the same.
    """

    name: ClassVar[str] = "differential_noise"
    question: ClassVar[str] = "mechanism"
    family: ClassVar[str] = "noise correlation"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(trials=20, units=4, stimulus=True)

    along: str = "noise along the code"
    across: str = "noise across the code"
    level: Level = 0.05
    n_signs: Repeats = 1000

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """One of the two labels; abstains where the brief does not offer both."""
        candidates = recording.attrs.get("brief", {}).get("candidates", ())
        if not {self.along, self.across} <= set(candidates):
            return Finding.abstain(f"knows {self.along!r} from {self.across!r}, and the candidates are {candidates}")
        found = seen(recording, self.needs)
        if isinstance(found, Finding):
            return found
        signs = rng.choice([-1.0, 1.0], (self.n_signs, found.activity.shape[1]))
        observed, null = excess(found, np.vstack([np.ones(signs.shape[1]), signs]), rng)
        p = (1 + (null >= observed - 1e-12).sum()) / (1 + self.n_signs)
        label = self.along if p <= self.level else self.across
        return Finding({"label": label}, notes={"p": float(p), "excess": float(observed)})


def excess(found: Seen, signs: np.ndarray, rng: np.random.Generator) -> tuple[float, np.ndarray]:
    """d^T (R - 1) d of the data, and under other signs of d: those in the rows of signs (row, unit) but the first."""
    half = np.zeros(len(found.larger), dtype=bool)
    for side in (found.larger, ~found.larger):
        half[rng.permutation(np.flatnonzero(side))[: side.sum() // 2]] = True
    total = np.zeros(len(signs))
    for first in (half, ~half):
        told, other = sums(found.only(first)), sums(found.only(~first))
        spread = np.sqrt(np.diag(other.covariance))
        spread[spread == 0] = np.inf  # whoever does not vary in this half has no noise to be in units of
        change = told.slope / spread
        correlation = other.covariance / np.outer(spread, spread)
        np.fill_diagonal(correlation, 0.0)
        turned = signs * change / max(float(np.linalg.norm(change)), 1e-12)
        total += ((turned @ correlation) * turned).sum(axis=1) / 2
    return float(total[0]), total[1:]
