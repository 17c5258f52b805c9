"""The regime 'feedforward sequence' from spike patterns that come again with a precision of milliseconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
import xarray as xr

from methods.population._population import unusable
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Count, Repeats, Share, Width

LABEL = "feedforward sequence"
FEWEST_LAGS = 3
"""Different times of spikes in a pattern: with one it is synchrony, with two a pair of volleys."""

Pattern = tuple[tuple[int, ...], int]
"""Items, unit * bins of the window + bin, and how often they occur together."""

MANY = 1.0
"""Patterns by chance, more than which would take long to mine, and to find unlike those of surrogates."""


@dataclass(frozen=True)
class Spade:
    """Frequent spike patterns that dithering destroys, spread over several lags: a sequence handed on precisely.

    SPADE (Torre et al. 2013, Front Comput Neurosci 7:132; Stella et al. 2019, Biosystems 185:104022): closed sets of
    (unit, lag) that occur within windows of `window_bins`, mined as frequent itemsets. A pattern counts if it has
    `least_spikes` to `most_spikes` spikes of as many units and recurs `least_share` times per trial on average, or more
    often where rates are so high that some would by chance. It is significant if it occurs more often than any of its
    size in `n_surrogates` recordings whose spikes are dithered by up to `dither` (pattern spectrum filtering, at
    1 / (n_surrogates + 1) for each size). Rates that rise one after another within tens of milliseconds survive
    dithering, and are no such patterns. Patterns are bound to be short: a chain is seen in pieces that fit in a window.

    Precise lags do not say who makes them: an input that is as precise passes too. Abstains where no pattern stands
    out, since most regimes have none, and where all are synchronous. Cost grows steeply with spikes per window: mined
    are at most `most_units`, drawn evenly, of `fullest` spikes per window, and `most_spikes_mined` of their spikes, of
    whole trials taken evenly. Some 5 s for 40 units, 40 trials of a synfire chain.
    """

    name: ClassVar[str] = "spade"
    question: ClassVar[str] = "dynamics"
    family: ClassVar[str] = "sequences"
    library: ClassVar[str] = "elephant"
    needs: ClassVar[Needs] = Needs(("spikes",), units=8, trials=8)

    bin_width: Width = 3e-3  # s (Stella et al. 2019: 3 to 5 ms)
    window_bins: Annotated[int, Within(2, 100)] = 10
    least_spikes: Annotated[int, Within(2, 50)] = 4
    most_spikes: Annotated[int, Within(2, 50)] = 5  # longer ones are seen in their parts; more cost exponentially
    least_share: Share = 0.5  # of the trials
    dither: Width = 15e-3  # s (Torre et al. 2013; Stella et al. 2019: 15 to 25 ms)
    n_surrogates: Repeats = 39
    most_units: Count = 40
    fullest: Annotated[float, Within(1, 1000)] = 20.0  # spikes per window
    most_spikes_mined: Annotated[int, Within(100, 10_000_000)] = 20_000

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            self.least_spikes <= self.most_spikes,
            f"least_spikes must be at most most_spikes, {self.most_spikes}, got {self.least_spikes}: raise most_spikes",
        )

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The label or an abstention; notes: significant patterns, and units, lags [s] and occurrences of the first."""
        if refused := unusable(recording, self.needs):
            return refused
        units = self._drawn(recording, rng)
        if len(units) < self.needs.units:
            return Finding.abstain(f"rates are too high: {self.fullest:g} spikes per window are of {len(units)} units")
        trains = _Trains(recording, units, self.most_spikes_mined, self.bin_width * (self.window_bins + 1))
        if trains.n_trials < self.needs.trials:
            return Finding.abstain(f"{self.most_spikes_mined} spikes are those of {trains.n_trials} trials: too few")
        found = self._significant(trains, rng)
        if not found:
            return Finding.abstain(f"no pattern of {self.least_spikes} spikes comes again beyond what dithering leaves")
        spread = [p for p in found if len({item % self.window_bins for item in p[0]}) >= FEWEST_LAGS]
        if not spread:
            return Finding.abstain(f"{len(found)} patterns, all of them (nearly) synchronous: no sequence")
        items, occurrences = max(spread, key=lambda p: (p[1], len(p[0])))
        member, lag = np.divmod(np.array(items), self.window_bins)
        notes = {"patterns": len(found), "occurrences": occurrences, "units": units[member].tolist()}
        notes["lags"] = ((lag - lag.min()) * self.bin_width).tolist()
        return Finding({"label": LABEL}, confidence=self._confidence, notes=notes)

    def _significant(self, trains: _Trains, rng: np.random.Generator) -> list[Pattern]:
        """Patterns that are more frequent than all of their size in dithered recordings."""
        found = self._mined(trains, trains.time)
        for _ in range(self.n_surrogates):
            if not found:
                break
            chance = _most_frequent(self._mined(trains, trains.dithered(self.dither, rng)))
            found = [p for p in found if p[1] > chance.get(len(p[0]), 0)]
        return found

    @property
    def _confidence(self) -> float:
        """Of all sizes together: the surrogates' most frequent pattern is beaten by chance once in so many."""
        return max(0.5, 1 - (self.most_spikes - self.least_spikes + 1) / (self.n_surrogates + 1))

    def _mined(self, trains: _Trains, time: np.ndarray) -> list[Pattern]:
        """Patterns that are frequent enough, with spikes at these times [s]."""
        from elephant.spade import concepts_mining
        from quantities import s

        least = max(2, int(np.ceil(self.least_share * trains.n_trials)), self._common_by_chance(trains))
        patterns, _ = concepts_mining(
            trains.laid_out(time), self.bin_width * s, self.window_bins, min_spikes=self.least_spikes, min_occ=least,
            max_spikes=self.most_spikes, min_neu=self.least_spikes, report="a",
        )  # fmt: skip
        return [(tuple(items), len(windows)) for items, windows in patterns]

    def _drawn(self, recording: xr.Dataset, rng: np.random.Generator) -> np.ndarray:
        """Units that are mined: as many as are allowed, and as together do not fire too often."""
        n = recording.sizes["unit"]
        order = rng.permutation(n)[: self.most_units]
        windows = recording.sizes["trial"] * recording.attrs["duration"] / (self.window_bins * self.bin_width)
        spikes = np.bincount(recording["spike_unit"].values, minlength=n)[order]
        return np.sort(order[np.cumsum(spikes) <= self.fullest * windows])

    def _common_by_chance(self, trains: _Trains) -> int:
        """Occurrences that `MANY` patterns of the fewest spikes would have if units fired evenly and independently."""
        from scipy.special import comb
        from scipy.stats import poisson

        bins = trains.n_trials * trains.duration / self.bin_width
        each = np.sqrt(np.square(np.bincount(trains.unit, minlength=trains.n_units) / bins).mean())
        size = self.least_spikes
        number = comb(trains.n_units, size) * self.window_bins ** (size - 1)
        return int(poisson.isf(min(1.0, MANY / number), bins * min(each, 1.0) ** size)) + 1


class _Trains:
    """Spikes of some units in whole trials, taken evenly until they are too many: `time` [s], `trial`, `unit`."""

    def __init__(self, recording: xr.Dataset, units: np.ndarray, most: int, gap: float) -> None:
        among = np.full(recording.sizes["unit"], -1)
        among[units] = np.arange(len(units))
        unit = among[recording["spike_unit"].values]
        trial, n = recording["spike_trial"].values, recording.sizes["trial"]
        self.n_trials = min(n, max(1, int(n * most / max((unit >= 0).sum(), 1))))
        kept = np.unique(np.linspace(0, n - 1, self.n_trials).round().astype(int))
        place = np.full(n, -1)
        place[kept] = np.arange(len(kept))
        mine = (place[trial] >= 0) & (unit >= 0)
        self.time, self.trial = recording["spike_time"].values[mine], place[trial[mine]]
        self.unit, self.n_units = unit[mine], len(units)
        self.duration, self.gap = float(recording.attrs["duration"]), gap

    def dithered(self, most: float, rng: np.random.Generator) -> np.ndarray:
        """Times moved by up to `most` [s], folded back at the ends of the trial."""
        moved = np.abs(self.time + rng.uniform(-most, most, len(self.time)))
        return np.where(moved > self.duration, np.maximum(2 * self.duration - moved, 0.0), moved)

    def laid_out(self, time: np.ndarray) -> list[Any]:
        """A train of each unit, trials one after another with a gap between them that no window spans."""
        from neo import SpikeTrain
        from quantities import s

        period = self.duration + self.gap
        whole = time + self.trial * period
        ends = {"t_start": 0 * s, "t_stop": (self.n_trials * period) * s}
        return [SpikeTrain(np.sort(whole[self.unit == unit]) * s, **ends) for unit in range(self.n_units)]


def _most_frequent(patterns: list[Pattern]) -> dict[int, int]:
    """Occurrences of the most frequent pattern of each size."""
    found: dict[int, int] = {}
    for items, occurrences in patterns:
        found[len(items)] = max(found.get(len(items), 0), occurrences)
    return found
