"""Spikes before and after a picture came, and which concept it was of: what tests of selectivity start from."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Needs
from simlab.data import missing

NONE = "none"
"""What a unit is called that is selective for none of the concepts."""

NEEDS = Needs(("spikes",), trials=8, stimulus=True, equal_trials=True)
"""What tests of selectivity cannot do without; counts in a trial that ends too early are no fewer responses."""

EARLY, LATE = 0.3, 1.0
"""s after a picture's onset between which responses are counted, and before it the baseline (Quian Quiroga et al. 2005,
Nature 435:1102)."""


class Viewed(NamedTuple):
    """Spikes of every presentation of a picture."""

    counts: np.ndarray  # (presentation, unit) after the picture came
    before: np.ndarray  # (presentation, unit) in a window of the same length before; none where there was no pause
    picture: np.ndarray  # (presentation,) 0, 1 ...: those that were shown
    concept: np.ndarray  # (picture,) the number of each one's concept
    names: np.ndarray  # (concept,)

    def per_picture(self) -> np.ndarray:
        """(picture, unit) mean counts."""
        return averaged(self.counts, self.picture)

    def per_concept(self) -> np.ndarray:
        """(concept, unit) mean counts of the means of its pictures."""
        return averaged(self.per_picture(), self.concept)

    def medians(self) -> np.ndarray:
        """(picture, unit) median counts over presentations."""
        order = np.argsort(self.picture, kind="stable")
        ends = np.cumsum(np.bincount(self.picture))
        return np.stack([np.median(part, axis=0) for part in np.split(self.counts[order], ends[:-1])])


def viewed(recording: xr.Dataset, needs: Needs = NEEDS) -> Viewed | Finding:
    """Counts in both windows; an abstention where it is not known what was shown when, or only one concept was."""
    if reason := missing(recording, needs):
        return Finding.abstain(reason)
    brief = recording.attrs.get("brief", {})
    if not brief.get("pictures") or "concepts" not in brief or list(recording["feature"].values) != ["picture"]:
        return Finding.abstain("nobody says which pictures were shown, and of which concepts")
    shown = recording["stimulus"].values[:, :, 0]
    seen = np.isfinite(shown)
    there, first = seen.any(axis=1), seen.argmax(axis=1)
    number = shown[np.arange(len(shown)), first][there]
    if not len(number) or not np.isin(number, np.arange(len(brief["pictures"]))).all():
        return Finding.abstain("the stimulus is not the number of a picture that the brief lists")
    pictures, picture = np.unique(number.astype(int), return_inverse=True)
    names, concept = np.unique(np.array(brief["pictures"], dtype=object)[pictures].astype(str), return_inverse=True)
    if len(names) < 2:
        return Finding.abstain(f"{len(names)} concept was shown, and selectivity is for one among several")
    counts, before = _windows(recording, recording["time"].values[first], there)
    return Viewed(counts, before, picture, concept, names.astype(object))


def _windows(recording: xr.Dataset, onset: np.ndarray, there: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(presentation, unit) spikes after and before the onset (trial,) [s], in the trials where there is one."""
    n_units, length = recording.sizes["unit"], float(recording.attrs["duration"])
    after, pause = min(LATE, length - float(onset[there].max())), min(LATE, float(onset[there].min()))
    trial, unit = recording["spike_trial"].values, recording["spike_unit"].values
    late = recording["spike_time"].values - onset[trial]
    found = []
    for low, high in ((EARLY * after, after), (-pause, -EARLY * pause)):
        inside = (late >= low) & (late < high)
        counts = np.zeros((len(onset), n_units))
        np.add.at(counts, (trial[inside], unit[inside]), 1)
        found.append(counts[there])
    return found[0], found[1] if pause > 0 else found[1][:0]


def averaged(values: np.ndarray, group: np.ndarray) -> np.ndarray:
    """(group, unit) means of values (row, unit) over the rows of each group (row,) 0, 1 ..."""
    total = np.zeros((int(group.max()) + 1, values.shape[1]))
    np.add.at(total, group, values)
    return total / np.bincount(group)[:, None]


def named(which: np.ndarray, sure: np.ndarray, names: np.ndarray) -> np.ndarray:
    """(unit,) the concept `which` of the units that are `sure`, and `NONE` of the others."""
    return np.where(sure, names[which], NONE)


def responses(found: Viewed, n_sigma: float, least_spikes: float) -> np.ndarray | Finding:
    """(picture, unit) bool: whether the median count exceeds the baseline's mean by so many of its standard deviations,
    and is of so many spikes at least (Quian Quiroga et al. 2005)."""
    if len(found.before) < 2:
        return Finding.abstain("without a pause before pictures there is no baseline to exceed")
    level = found.before.mean(axis=0) + n_sigma * found.before.std(axis=0, ddof=1)
    median = found.medians()
    return np.asarray((median > level) & (median >= least_spikes))


def shares(responded: np.ndarray, concept: np.ndarray) -> np.ndarray:
    """(concept, unit) the share of each one's pictures that a unit responds to (picture, unit)."""
    return averaged(responded.astype(float), concept)
