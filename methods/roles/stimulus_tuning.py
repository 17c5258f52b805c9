"""Units that are tuned to the task's stimulus or condition, held for its parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from methods.intervention._silencing import discoveries
from methods.roles._watched import of_trials, over_time
from simlab.contracts import Finding, Needs
from simlab.data import missing
from simlab.rules import check_fields
from simlab.rules.quantities import Level, Width

Evidence = tuple[np.ndarray, np.ndarray]
"""Effect size (unit,) in 0..1, and p (unit,)."""


@dataclass(frozen=True)
class StimulusTuning:
    """Importance of a unit = how well its activity tells what is shown: conditions from one another, on from off.

    Conditions: eta squared of ranks (Kruskal & Wallis 1952) over trials. On from off, where a trial has times at which
    nothing is shown: the rank-biserial correlation of the two rates over trials (Wilcoxon 1945). The larger counts, at
    a p that is doubled where both were looked at; decided at a false discovery rate of `alpha` (Benjamini & Hochberg
    1995). Cost: milliseconds.

    Tuning is how most areas got their names (Hubel & Wiesel 1959) and says nothing of use: bystanders that the stimulus
    drives are held for parts, and parts that are always on are missed (Jonas & Kording 2017, PLoS Comput Biol
    13:e1005268).
    """

    name: ClassVar[str] = "stimulus_tuning"
    question: ClassVar[str] = "necessity"
    family: ClassVar[str] = "tuning"
    library: ClassVar[str] = "scipy"
    needs: ClassVar[Needs] = Needs(units=1, trials=5)

    alpha: Level = 0.05
    width: Width = 0.02
    """Of the bins that are on or off [s]."""

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The importance of every unit, and which are decided; abstains where nothing shown ever differs."""
        if reason := missing(recording, self.needs):
            return Finding.abstain(reason)
        found = [e for e in (_of_conditions(recording), _of_onset(recording, self.width)) if e is not None]
        if not found:
            return Finding.abstain("nothing that is shown differs between trials or within them")
        size, p = (np.stack(each) for each in zip(*found, strict=True))
        p = np.minimum(len(found) * p.min(axis=0), 1.0)
        return Finding({"importance": size.max(axis=0), "decided": discoveries(p, self.alpha)}, notes={"p": p})


def _of_conditions(recording: xr.Dataset) -> Evidence | None:
    """How much of the ranks of trials the condition explains."""
    from scipy.stats import chi2, rankdata

    if "condition" not in recording:
        return None
    labels, which = np.unique(recording["condition"].values, return_inverse=True)
    if len(labels) < 2:
        return None
    rank = rankdata(of_trials(recording), axis=0)
    centred = rank - rank.mean(axis=0)
    n, mean = np.bincount(which), np.zeros((len(labels), rank.shape[1]))
    np.add.at(mean, which, centred)
    between, total = (mean**2 / n[:, None]).sum(axis=0), (centred**2).sum(axis=0)
    share = np.divide(between, total, out=np.zeros_like(total), where=total > 0)
    return share, chi2.sf((len(rank) - 1) * share, len(labels) - 1)


def _of_onset(recording: xr.Dataset, width: float) -> Evidence | None:
    """How consistently activity differs between times with and without a stimulus."""
    from scipy.stats import norm, rankdata

    if "stimulus" not in recording:
        return None
    values, centres = over_time(recording, width)
    time = recording["time"].values
    at = np.clip(np.searchsorted(time, centres + 1e-9) - 1, 0, len(time) - 1)
    shown = np.isfinite(recording["stimulus"].values).any(axis=2)[:, at]
    usable = shown.any(axis=1) & ~shown.all(axis=1)
    if usable.sum() < 5:
        return None
    values, shown = values[usable], shown[usable, :, None]
    difference = (values * shown).sum(axis=1) / shown.sum(axis=1) - (values * ~shown).sum(axis=1) / (~shown).sum(axis=1)
    rank = rankdata(np.abs(difference), axis=0) * (difference != 0)
    signed, total, square = (np.sign(difference) * rank).sum(axis=0), rank.sum(axis=0), (rank**2).sum(axis=0)
    z = np.divide(np.abs(signed), np.sqrt(square), out=np.zeros_like(signed), where=square > 0)
    return np.divide(np.abs(signed), total, out=np.zeros_like(total), where=total > 0), 2 * norm.sf(z)
