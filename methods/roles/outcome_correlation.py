"""Units whose activity goes with success: something like choice probability, of outcomes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from methods.intervention._silencing import discoveries
from methods.roles._watched import of_trials, outcome_of, within_conditions
from simlab.contracts import Finding, Needs
from simlab.rules import check_fields
from simlab.rules.quantities import Level, Repeats


@dataclass(frozen=True)
class OutcomeCorrelation:
    """Importance of a unit = |2 AUROC - 1| of its activity in trials that went well against the others.

    Choice probability (Britten et al. 1996, Vis Neurosci 13:87) with the outcome in the place of the choice; activity
    is taken relative to the mean of its condition, as tuning alone would pass for a relation otherwise. Trials went
    well where the outcome is above its mean. A unit is decided at a false discovery rate of `alpha` (Mann & Whitney
    1947; Benjamini & Hochberg 1995). Cost: milliseconds, and no experiment.

    It misses whatever never fails, and of several units that replace one another all; it credits whatever the behaviour
    drives, or what drives both (Nienborg & Cumming 2010).
    """

    name: ClassVar[str] = "outcome_correlation"
    question: ClassVar[str] = "necessity"
    family: ClassVar[str] = "correlation with behaviour"
    library: ClassVar[str] = "scipy"
    needs: ClassVar[Needs] = Needs(units=1, trials=8, outcome=True)

    alpha: Level = 0.05
    fewest: Repeats = 4
    """Trials that went well, and others, without which it abstains."""

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The importance of every unit, and which are decided."""
        from scipy.stats import mannwhitneyu

        outcome = outcome_of(recording, self.needs, self.fewest)
        if isinstance(outcome, Finding):
            return outcome
        activity = within_conditions(of_trials(recording), recording)
        good = outcome > outcome.mean()
        test = mannwhitneyu(activity[good], activity[~good], axis=0)
        area = test.statistic / (good.sum() * (~good).sum())
        p = np.nan_to_num(test.pvalue, nan=1.0)
        notes = {"area_under_roc": area, "p": p}
        return Finding({"importance": np.abs(2 * area - 1), "decided": discoveries(p, self.alpha)}, notes=notes)
