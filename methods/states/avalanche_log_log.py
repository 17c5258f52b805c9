"""The verdict 'critical' from a straight line through a log-log histogram of avalanche sizes: too easily earned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.states._avalanches import NEEDS, Avalanches, avalanches, verdict
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level

BINS_PER_DECADE = 5

Exponent = Annotated[float, Within(0.1, 10)]


@dataclass(frozen=True)
class AvalancheLogLog:
    """Says branching process if sizes, in bins of equal width on a logarithmic axis, lie on a line of fitting slope.

    The argument of the first papers on neuronal avalanches (Beggs & Plenz 2003, J Neurosci 23:11167: exponent -1.5).
    Lines on such axes fit much that is no power law (Clauset, Shalizi & Newman 2009, SIAM Rev 51:661), and independent
    units under a common drive make them as well (Touboul & Destexhe 2010, PLoS ONE 5:e8982). The argument knows no
    doubt: its verdict, either way, is given .95.

    Abstains where there are too few avalanches, or where no branching process is among the candidates.
    """

    name: ClassVar[str] = "avalanche_log_log"
    question: ClassVar[str] = "mechanism"
    family: ClassVar[str] = "avalanches"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = NEEDS

    least_explained: Level = 0.95  # of the variance, R^2
    lowest: Exponent = 1.0  # of the exponents that are accepted
    highest: Exponent = 3.0
    decades: Annotated[float, Within(0.3, 10)] = 1.0  # that sizes must span

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The verdict; the notes hold exponent and R^2."""
        found = avalanches(recording)
        if not isinstance(found, Avalanches):
            return found
        slope, explained, spanned = line(found.sizes)
        accepted = (
            explained >= self.least_explained and self.lowest <= -slope <= self.highest and spanned >= self.decades
        )
        notes: dict[str, object] = {"exponent": -slope, "explained": explained, "avalanches": len(found.sizes)}
        return verdict(recording, 0.95 if accepted else 0.05, notes)


def line(sizes: np.ndarray) -> tuple[float, float, float]:
    """Slope and R^2 of the log density of sizes over their logarithm, by least squares; decades that they span."""
    edges = np.unique(np.floor(10 ** np.arange(0, np.log10(sizes.max()) + 1, 1 / BINS_PER_DECADE))) - 0.5
    counts = np.histogram(sizes, edges)[0]
    used = counts >= 3
    if used.sum() < 3:
        return 0.0, 0.0, 0.0
    x = np.log10(np.sqrt((edges[:-1] + 0.5) * np.maximum(edges[1:] - 0.5, 1)))[used]
    y = np.log10(counts[used] / np.diff(edges)[used])
    slope = np.polyfit(x, y, 1)[0]
    return float(slope), float(np.corrcoef(x, y)[0, 1] ** 2), float(np.ptp(x))
