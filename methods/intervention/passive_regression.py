"""The rival without an experiment: how behaviour went with natural activity, carried on to no activity at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from methods.intervention._prediction import to_predict
from simlab.contracts import Finding, Needs
from simlab.data import in_window, missing
from simlab.rules import check_fields
from simlab.rules.quantities import Repeats


@dataclass(frozen=True)
class PassiveRegression:
    """Regression of each trial's outcome on the units' activity in it; silencing is the prediction at zero activity.

        outcome = a + sum_i b_i x_i + noise,   predicted = mean outcome - sum of b_i mean(x_i) over the silenced

    x: spikes, or the mean rate, over the trial. Ridge regression, its strength by leave-one-out cross-validation (Hoerl
    & Kennard 1970). What a decoder says of lesions: it credits whoever is tuned like the cause, shares the credit among
    substitutes, and extrapolates from natural variation to a state that never occurs. Passive; costs a solve.
    """

    name: ClassVar[str] = "passive_regression"
    question: ClassVar[str] = "intervention_response"
    family: ClassVar[str] = "regression"
    library: ClassVar[str] = "scikit-learn"
    needs: ClassVar[Needs] = Needs(("spikes", "rate"), trials=5, outcome=True)

    fewest_failures: Repeats = 2
    """Trials that differ from the commonest outcome, without which it abstains."""

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Predictions from spikes or rates of a recording with an `outcome`."""
        from sklearn.linear_model import RidgeCV

        wanted = to_predict(recording.attrs.get("brief", {}), recording.sizes["unit"])
        if isinstance(wanted, Finding):
            return wanted
        if reason := missing(recording, self.needs):
            return Finding.abstain(reason)
        outcome = recording["outcome"].values
        if len(outcome) - np.unique(outcome, return_counts=True)[1].max() < self.fewest_failures:
            return Finding.abstain(f"the outcome is the same in all but {self.fewest_failures - 1} trials or fewer")
        activity = in_window(recording, 0.0, float(recording.attrs["duration"]))
        spread = np.where((sd := activity.std(axis=0)) > 0, sd, 1.0)
        fitted = RidgeCV(np.logspace(-2, 4, 13)).fit((activity - activity.mean(axis=0)) / spread, outcome)
        lost = fitted.coef_ * activity.mean(axis=0) / spread
        predicted = np.clip(outcome.mean() - wanted @ lost, 0.0, 1.0)
        return Finding({"outcome": predicted}, notes={"ridge": float(fitted.alpha_)})
