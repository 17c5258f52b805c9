"""The regime 'feedforward sequence' or 'limit cycle' from the order in which units peak, and whether it comes again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.population._population import smoothed, unusable, varying
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level, Share, Width

SEQUENCE, CYCLE = "feedforward sequence", "limit cycle"


@dataclass(frozen=True)
class SequenceOrder:
    """Units that peak one after another, in one order on all trials, and once: a sequence. Again and again: a cycle.

    A cycle: within trials the population's state becomes unlike what it was and like it again. The correlation of the
    state with itself, over lags, averaged over trials, has a side peak of `least_return` that stands that much above
    the trough before it. A sequence: peak times of trial averages agree between odd and even trials (Spearman, at
    `level`), and lie apart by more than a common response would have them: their interquartile range is at least
    `spread` times the median width of a unit's peak. That is how sequences are read off sorted trial averages
    (Pastalkova et al. 2008, Science 321:1322; Harvey, Coen & Tank 2012, Nature 484:62), and what drives them is not
    asked: a driven sequence passes too. Abstains where neither holds, and where `dynamics` does not list these regimes.
    """

    name: ClassVar[str] = "sequence_order"
    question: ClassVar[str] = "dynamics"
    family: ClassVar[str] = "sequences"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(units=5, trials=6, seconds=2.0)

    bin_width: Width = 5e-3  # s
    smoothing: Width = 10e-3  # s, sd of the Gaussian kernel
    level: Level = 0.01
    least_return: Share = 0.3
    spread: Annotated[float, Within(0, 100)] = 1.0

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The verdict; the notes give the return's height and lag [s], and the order's reliability."""
        from scipy.stats import spearmanr

        if refused := unusable(recording, self.needs):
            return refused
        values, step = smoothed(recording, self.bin_width, self.smoothing)
        values = values[:, :, varying(values)]
        again, lag = recurrence(values)
        notes: dict[str, object] = {"return": again, "lag": lag * step}
        if again >= self.least_return:
            return Finding({"label": CYCLE}, confidence=float(min(0.99, 0.5 + again / 2)), notes=notes)
        halves = [values[k::2].mean(axis=0) for k in (0, 1)]
        peaks = [half.argmax(axis=0) for half in halves]
        order, p = spearmanr(*peaks)
        apart = float(np.subtract(*np.quantile(np.mean(peaks, axis=0), [0.75, 0.25])))
        width = float(np.median(_widths(values.mean(axis=0))))
        notes |= {"order": float(order), "p": float(p), "apart": apart * step, "width": width * step}
        if not p < self.level or order <= 0:
            return Finding.abstain(
                f"units peak in no reliable order (Spearman {order:.2f} between halves, p = {p:.2g})"
            )
        if apart < self.spread * width:
            return Finding.abstain(
                f"peaks lie {apart * step:.3g} s apart and last {width * step:.3g} s: all units answer together"
            )
        return Finding({"label": SEQUENCE}, confidence=float(min(0.99, self.level / (self.level + p))), notes=notes)


def recurrence(values: np.ndarray) -> tuple[float, int]:
    """How far the state's autocorrelation rises again after its first trough, over lags up to half a trial, and the lag
    (samples) at which it is back; values (trial, time, unit). 0 where it only falls."""
    z = values - values.mean(axis=(0, 1))
    z = z / np.maximum(z.std(axis=(0, 1)), 1e-12)
    n = z.shape[1]
    spectrum = np.abs(np.fft.rfft(z, 2 * n, axis=1)) ** 2
    curve = np.fft.irfft(spectrum.sum(axis=2), axis=1).mean(axis=0)[: n // 2 + 1]
    curve = curve / np.arange(n, n - n // 2 - 1, -1)
    curve = curve / curve[0]
    lowest = np.minimum.accumulate(curve)
    rise = curve - lowest
    # a regular cycle comes back at every multiple of its period: the first return that is nearly the highest counts
    lag = int(np.argmax(rise >= 0.9 * rise.max()))
    while lag + 1 < len(rise) and rise[lag + 1] > rise[lag]:
        lag += 1
    return float(rise[lag]) if curve[lag] > 0 else 0.0, lag


def _widths(mean: np.ndarray) -> np.ndarray:
    """Of each unit's highest peak (unit,), at half height, in samples, of trial averages (time, unit)."""
    low, high = np.median(mean, axis=0), mean.max(axis=0)
    above = mean > (low + high) / 2
    found = []
    for unit, k in enumerate(mean.argmax(axis=0)):
        outside = np.flatnonzero(~above[:, unit])
        before, after = outside[outside < k], outside[outside > k]
        first = before[-1] if len(before) else -1
        found.append((after[0] if len(after) else len(mean)) - first - 1)
    return np.array(found, dtype=float)
