"""What the connectivity methods share: spikes on a grid, all-pairs correlograms, surrogates, and edge decisions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Needs, SimlabError
from simlab.data import durations, is_spiking, missing, modality
from simlab.rules import require

SPIKE_TRAINS = Needs(("spikes",), units=2, equal_trials=False)
"""What a method of spike pairs needs. Its trials may differ in length: bins are counted trial by trial."""

SameBin = Literal["coarse", "always", "never"]
"""Whether spikes of two units in one bin are evidence: `coarse`, where bins are too long to see who was first."""

COARSE = 0.005
"""Bins [s] that are longer hold a spike and its first synaptic effects."""

CHUNK = 4_000_000
"""Spike pairs that are counted at once: bounds the memory of a correlogram to about 100 MB."""


@dataclass(frozen=True, eq=False)
class Ticks:
    """Spikes on a grid of bins, sorted by trial, tick, unit: `tick` (spike,) is the bin within the trial."""

    trial: np.ndarray
    tick: np.ndarray
    unit: np.ndarray
    n_units: int
    ends: np.ndarray  # (trial,) bins in each trial

    @property
    def counts(self) -> np.ndarray:
        """Spikes of each unit (unit,)."""
        return np.bincount(self.unit, minlength=self.n_units)

    @property
    def n_trials(self) -> int:
        """How many trials there are."""
        return len(self.ends)

    @property
    def n_ticks(self) -> int:
        """Bins in the longest trial."""
        return int(self.ends.max())

    @property
    def n_bins(self) -> int:
        """Bins of all trials."""
        return int(self.ends.sum())

    def outlast(self, n_lags: int) -> bool:
        """Whether trials are, on average, longer than so many bins: borders then do not rule the correlograms."""
        return self.n_bins > n_lags * self.n_trials

    def binary(self) -> Ticks:
        """At most one spike per unit and bin."""
        cell = (self.trial.astype(np.int64) * self.n_ticks + self.tick) * self.n_units + self.unit
        first = np.diff(cell, prepend=-1) != 0
        return replace(self, trial=self.trial[first], tick=self.tick[first], unit=self.unit[first])

    def jittered(self, width: int, rng: np.random.Generator) -> Ticks:
        """A surrogate: every spike moved by a uniform whole number of ticks within +-width, reflected in its trial.

        Keeps each unit's spike count and its slow rate, and destroys timing finer than `width`.
        """
        last = self.ends[self.trial] - 1
        moved = np.abs(self.tick + rng.integers(-width, width + 1, len(self.tick)))
        moved = np.where(moved <= last, moved, 2 * last - moved)
        return _sorted(replace(self, tick=np.clip(moved, 0, last)))


def _sorted(ticks: Ticks) -> Ticks:
    cell = (ticks.trial.astype(np.int64) * ticks.n_ticks + ticks.tick) * ticks.n_units + ticks.unit
    cell.sort()
    when, unit = np.divmod(cell, ticks.n_units)
    trial, tick = np.divmod(when, ticks.n_ticks)
    return replace(ticks, trial=trial, tick=tick, unit=unit)


def on_grid(recording: xr.Dataset, width: float) -> Ticks:
    """The recording's spikes in bins of `width` [s]; a last bin that its trial does not fill is left out."""
    if not width > 0:
        raise SimlabError(f"the bin width must be > 0 s, got {width}")
    ends = (durations(recording) / width + 1e-6).astype(np.int64)
    trial = recording["spike_trial"].values.astype(np.int64)
    tick = np.floor(recording["spike_time"].values / width + 1e-9).astype(np.int64)
    inside = tick < ends[trial]
    unit = recording["spike_unit"].values[inside].astype(np.int64)
    return _sorted(Ticks(trial[inside], tick[inside], unit, recording.sizes["unit"], ends))


def lag_counts(ticks: Ticks, max_lag: int) -> np.ndarray:
    """All cross-correlograms at once: (pre, post, lag) counts of spike pairs, lag = -max_lag..max_lag ticks.

    Entry [a, b, max_lag + d] counts the pairs in which b fires d ticks after a in the same trial; a spike is not
    paired with itself. The merged train is compared with itself shifted by 1, 2, ... spikes until no pair is left
    within max_lag, so the cost follows the pairs that exist: O(spikes x population rate x max_lag).
    """
    n, width = ticks.n_units, max_lag + 1
    key = ticks.trial * (ticks.n_ticks + width) + ticks.tick
    forward = np.zeros(n * n * width, dtype=np.int64)
    pending: list[np.ndarray] = []
    for early, late, lag in _near_neighbours(key, max_lag):
        pending.append((ticks.unit[early] * n + ticks.unit[late]) * width + lag)
        if sum(map(len, pending)) > CHUNK:
            forward += np.bincount(np.concatenate(pending), minlength=forward.size)
            pending = []
    if pending:
        forward += np.bincount(np.concatenate(pending), minlength=forward.size)
    return _two_sided(forward.reshape(n, n, width))


def close_pairs(time: np.ndarray, max_lag: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of entries of the sorted `time` at most max_lag apart: indices of earlier and later one, and their lag."""
    nothing = np.zeros(0, dtype=np.int64)
    found = [(nothing, nothing, nothing), *_near_neighbours(time, max_lag)]
    early, late, lag = (np.concatenate(column) for column in zip(*found, strict=True))
    return early, late, lag


def _near_neighbours(time: np.ndarray, max_lag: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    shift, early = 1, np.arange(len(time))
    while early.size:
        early = early[: np.searchsorted(early, len(time) - shift)]
        lag = time[early + shift] - time[early]
        near = lag <= max_lag
        early = early[near]  # an entry without a near neighbour at this shift has none at the next
        if early.size:
            yield early, early + shift, lag[near]
        shift += 1


def _two_sided(forward: np.ndarray) -> np.ndarray:
    backward = forward.transpose(1, 0, 2)
    together = forward[:, :, :1] + backward[:, :, :1]
    return np.concatenate([backward[:, :, :0:-1], together, forward[:, :, 1:]], axis=2)


def abstention(recording: xr.Dataset, needs: Needs, bin_width: float = 0.0) -> str:
    """Why no pairwise method with these needs can answer on this recording; empty if it can.

    bin_width: [s] of the counts that it makes of spikes, of which it needs two in each trial; 0 if it makes none.
    """
    if reason := missing(recording, needs):
        return reason
    if is_spiking(recording):
        if not recording.sizes["spike"]:
            return "no spike was recorded"
        short = bin_width > 0 and recording.attrs["duration"] < 2 * bin_width
        return f"trials of {recording.attrs['duration']} s hold fewer than 2 bins" if short else ""
    return "" if "signal" in recording else "needs spikes or a signal, and this recording holds neither"


def false_discovery(p: np.ndarray, alpha: float) -> np.ndarray:
    """Edges (pre, post) whose p-value survives Benjamini & Hochberg (1995) at rate `alpha`; never the diagonal.

    A symmetric matrix of p-values counts each pair once: the same test twice is not more evidence.
    """
    from scipy.stats import false_discovery_control

    if not 0 < alpha < 1:
        raise SimlabError(f"alpha, the false discovery rate, must lie between 0 and 1, got {alpha}")
    pair = ~np.eye(len(p), dtype=bool)
    decided = np.zeros(p.shape, dtype=bool)
    if np.array_equal(p, p.T):
        pair = np.triu(pair)
    decided[pair] = false_discovery_control(_proper(p[pair])) <= alpha
    return decided | decided.T if np.array_equal(p, p.T) else decided


def _proper(p: np.ndarray) -> np.ndarray:
    return np.clip(np.nan_to_num(p, nan=1.0), 0.0, 1.0)


def edges(
    score: np.ndarray, p: np.ndarray, sign: np.ndarray, alpha: float, *, weight: np.ndarray | None = None, **notes: Any
) -> Finding:
    """The finding of a test per directed pair: graded evidence, edges decided at a false discovery rate, signs, and
    the p-values themselves; 1 where there was nothing to test. weight: strengths as estimated, signed."""
    off = ~np.eye(len(p), dtype=bool)
    estimate = {
        "score": np.where(off, np.nan_to_num(score, nan=0.0, posinf=np.finfo(float).max), 0.0),
        "decided": false_discovery(p, alpha),
        "sign": np.where(off, np.sign(np.nan_to_num(sign)), 0).astype(int),
        "p": np.where(off, _proper(p), 1.0),
    }
    if weight is not None:
        estimate["weight"] = np.where(off, np.nan_to_num(weight), 0.0)
    return Finding(estimate, notes=notes)


def surrogate_p(observed: np.ndarray, surrogates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Excess over each pair's own surrogates (pre, post), and its p-value from all pairs' surrogates together.

    observed: (pre, post) statistic of roughly equal spread in all pairs (take roots of squares); surrogates:
    (surrogate, pre, post). Each pair is centred on the mean of its S surrogates, which carries its rates and slow
    covariation; the factors sqrt(1 -+ 1/S) give observed and surrogate residuals one variance. Pooling the residuals
    of n (n - 1) pairs makes p-values far below 1/S, as a false discovery rate over all pairs needs.
    """
    n_surrogates = len(surrogates)
    if n_surrogates < 2:
        raise SimlabError(f"surrogates must be >= 2, got {n_surrogates}: their mean needs a spread")
    off = ~np.eye(len(observed), dtype=bool)
    centre = surrogates.mean(axis=0)
    excess = (observed - centre) / np.sqrt(1 + 1 / n_surrogates)
    null = np.sort(((surrogates - centre) / np.sqrt(1 - 1 / n_surrogates))[:, off].ravel())
    above = null.size - np.searchsorted(null, excess, side="left")
    return excess, (above + 1) / (null.size + 1)


def same_bin_counts(recording: xr.Dataset, bin_width: float, wanted: SameBin) -> bool:
    """Whether the same bin [s] counts on this recording; fluorescence is coarse, other signals are what they are."""
    coarse = bin_width > COARSE if is_spiking(recording) else modality(recording) == "fluorescence"
    return wanted == "always" or (wanted == "coarse" and coarse)


def check_window(window: tuple[float, float]) -> None:
    """Raises SimlabError unless a causal window [s] begins before it ends."""
    start, stop = window
    require(start < stop, f"causal_window needs start < stop [s], got {window}: write the earlier first")


def lags_within(window: tuple[float, float], bin_width: float) -> tuple[int, int]:
    """First and last lag of a causal window [s] in bins [s]; the bins tile it from its start up to its end."""
    start, stop = (edge / bin_width for edge in window)
    low = max(1, int(np.ceil(start - 1e-9)))
    return low, max(low, int(np.ceil(stop - 1e-9)) - 1)


def continuity_corrected(count: np.ndarray, expected: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Poisson p-values of an excess and of a deficit; half of the observed count's own probability in each."""
    from scipy.stats import poisson

    rate = np.maximum(expected, 1e-9)
    half = 0.5 * poisson.pmf(count, rate)
    return np.clip(poisson.sf(count - 1, rate) - half, 0, 1), np.clip(poisson.cdf(count, rate) - half, 0, 1)
