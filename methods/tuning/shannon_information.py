"""Tuning by the mutual information of counts and variable, corrected for what a finite sample adds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
import xarray as xr

from methods.tuning._moments import NEEDS, Moments, against_shifts, strongest, summed
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level, Repeats

Correction = Literal["panzeri_treves", "shuffles"]


@dataclass(frozen=True)
class ShannonInformation:
    """Bits that the count of a moment of .1 s tells about the variable, less its bias.

        I = sum_ks p(k, s) log2 p(k, s) / (p(k) p(s)),   k: spikes, from `most` on as one; s: bin of the variable

    By default k says whether there was a spike. `panzeri_treves`: the bias is [sum_s (K_s - 1) - (K - 1)] / (2 N ln 2),
    with K_s and K the numbers of counts that are possible in bin s and at all (Panzeri & Treves 1996, Network 7:87,
    with their estimate of K_s), and a unit is tuned where 2 N ln 2 times the plain information exceeds what chi-squared
    with that many degrees of freedom does at `level`: a test for independent moments, and for bins in which each count
    is expected a few times (rarer counts, with a greater `most`, make it err). `shuffles`: the bias is the mean over
    spikes that are turned in a circle against the trajectory, and a unit is ranked among these. Of several variables
    the one with most corrected information is named. Cost: a table per surrogate.
    """

    name: ClassVar[str] = "shannon_information"
    question: ClassVar[str] = "tuning"
    family: ClassVar[str] = "information theory"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = NEEDS

    correction: Correction = "panzeri_treves"
    level: Level = 0.05  # divided among the variables
    most: Annotated[int, Within(1, 100)] = 1  # spikes in a moment; more count as so many
    n_surrogates: Repeats = 100
    least_shift: Annotated[float, Within(0, 1e4, "s")] = 20.0

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Each unit's variable; notes: the corrected information about each [bits per moment]."""
        from scipy.stats import chi2

        moments = Moments.of(recording, self.needs)
        if isinstance(moments, Finding):
            return moments
        plain, freedom = self._information(moments)
        scale = 2 * np.log(2) * len(moments.counts)
        if self.correction == "panzeri_treves":
            corrected = plain - freedom / scale
            beyond = chi2.sf(scale * plain, np.maximum(freedom, 1)) <= self.level / len(moments.names)
            named = strongest(corrected, beyond & (freedom > 0), moments.names)
        else:
            lags = moments.lags(self.n_surrogates, self.least_shift, rng)
            if isinstance(lags, Finding):
                return lags
            null = np.stack([self._information(moments.shifted(k))[0] for k in lags.tolist()])
            corrected = plain - null.mean(axis=0)
            named = against_shifts(plain, null, self.level, moments.names)
        return Finding({"variable": named}, notes={"bits": dict(zip(moments.names, corrected.T.tolist(), strict=True))})

    def _information(self, moments: Moments) -> tuple[np.ndarray, np.ndarray]:
        """(unit, variable) plain information [bits], and the degrees of freedom of its bias."""
        counts = np.minimum(moments.counts, self.most).astype(int)
        level = np.arange(self.most + 1)
        tables = {n: np.stack([_where(counts == k, moments, n) for k in level]) for n in moments.names}
        found = [information(table) for table in tables.values()]
        return np.stack([f[0] for f in found], axis=1), np.stack([f[1] for f in found], axis=1)


def _where(true: np.ndarray, moments: Moments, name: str) -> np.ndarray:
    """(bin, unit): in how many moments of each bin of a variable something (moment, unit) is true."""
    return summed(moments.bins[name], moments.sizes[name], true.astype(float))


def information(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(unit,) bits, and sum_s (K_s - 1) - (K - 1), of tables (count, bin, unit) of how often each pair came."""
    total = table.sum(axis=(0, 1))
    by_count, by_bin = table.sum(axis=1, keepdims=True), table.sum(axis=0, keepdims=True)
    expected = by_count * by_bin / np.maximum(total, 1e-12)
    ratio = np.divide(table, expected, out=np.ones_like(table), where=(table > 0) & (expected > 0))
    bits = (table * np.log2(ratio)).sum(axis=(0, 1)) / np.maximum(total, 1e-12)
    different = np.where(by_bin[0] > 0, relevant(table) - 1, 0).sum(axis=0)
    return bits, different - ((by_count[:, 0] > 0).sum(axis=0) - 1)


def relevant(table: np.ndarray) -> np.ndarray:
    """(bin, unit): how many different counts are possible in each bin, of tables (count, bin, unit) of those that came.

    Bayes' estimate of Panzeri & Treves (1996): as many more than came as make the expected number of different counts,
    in so many moments, nearest to that which came; counts that a unit never had are not among them.
    """
    n, came = np.maximum(table.sum(axis=0), 1.0), table > 0
    naive = came.sum(axis=0)
    left = came.any(axis=1).sum(axis=0) - naive
    gap = np.abs((came * (1 - table / n) ** n).sum(axis=0))
    found = naive.astype(float)
    for extra in range(1, len(table)):
        unseen = 1 - (n / (n + naive)) ** (1 / n)  # the probability that each of the others is given
        seen = came * (1 - extra * unseen) * (table + 1) / (n + naive)
        expected = (came - came * (1 - seen) ** n).sum(axis=0) + extra * (1 - (1 - unseen) ** n)
        nearer = (extra <= left) & (np.abs(naive - expected) < gap)
        found, gap = np.where(nearer, naive + extra, found), np.where(nearer, np.abs(naive - expected), gap)
    return found
