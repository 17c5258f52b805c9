"""Name an area after the behaviour in which its units are busiest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Needs
from simlab.data import in_window
from simlab.rules import check_fields
from simlab.rules.quantities import Level, Share


@dataclass(frozen=True)
class TuningLocalisation:
    """A unit is tuned to a behaviour if its activity differs among behaviours and is highest there.

    One-way analysis of variance of each unit's mean activity per trial over the conditions (SciPy), decided at a false
    discovery rate of `alpha`. A tuned unit is said to serve the behaviour in which it is most active, if that exceeds
    the next by `least_margin` of its own activity; otherwise, or where it is active without preference, it is generic;
    a silent unit serves nothing. With areas (`unit_region`), units of one get the label that most of them have.
    Selective activity is what most of systems neuroscience names areas by; it says what varies with a behaviour, not
    what serves it. Cost: none.
    """

    name: ClassVar[str] = "tuning_localisation"
    question: ClassVar[str] = "localisation"
    family: ClassVar[str] = "tuning"
    library: ClassVar[str] = "scipy"
    needs: ClassVar[Needs] = Needs(trials=4, conditions=True)

    alpha: Level = 0.05
    least_margin: Share = 0.2

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """One pass; the notes give p (unit,)."""
        from scipy.stats import false_discovery_control

        behaviours = [f for f in recording.attrs["brief"].get("functions", ()) if f.startswith("behaviour")]
        level, condition = in_window(recording, 0.0, recording.attrs["duration"]), recording["condition"].values
        groups = [level[condition == k] for k in range(len(behaviours))]
        if len(groups) < 2 or min(len(g) for g in groups) < 2:
            return Finding.abstain("tuning takes at least two trials of each of two behaviours")
        p = _p_of_difference(groups)
        tuned = false_discovery_control(p) <= self.alpha
        means = np.stack([g.mean(axis=0) for g in groups])
        top = np.sort(means, axis=0)
        preferring = tuned & (top[-1] - top[-2] > self.least_margin * np.abs(top[-1]))
        named = np.array(behaviours, dtype=object)[means.argmax(axis=0)]
        label = np.where(preferring, named, np.where(np.ptp(level, axis=0) + top[-1] > 0, "generic", "none"))
        return Finding({"function": _by_area(label.astype(object), recording)}, notes={"p": p})


def _p_of_difference(groups: list[np.ndarray]) -> np.ndarray:
    """(unit,) of the analysis of variance; 1 where nothing varies."""
    from scipy.stats import f_oneway

    varied = np.ptp(np.concatenate(groups), axis=0) > 0
    p = np.ones(groups[0].shape[1])
    if varied.any():
        with np.errstate(all="ignore"):
            p[varied] = f_oneway(*(g[:, varied] for g in groups)).pvalue
    return np.clip(np.nan_to_num(p, nan=0.0), 0.0, 1.0)  # no spread within behaviours: they differ for sure


def _by_area(label: np.ndarray, recording: xr.Dataset) -> np.ndarray:
    """The commonest label of each area's units, at all of them."""
    if "unit_region" not in recording:
        return label
    area, result = recording["unit_region"].values, label.copy()
    for one in np.unique(area):
        named, n = np.unique(label[area == one].astype(str), return_counts=True)
        result[area == one] = named[n.argmax()]
    return result
