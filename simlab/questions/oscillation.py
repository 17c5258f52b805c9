"""Is there a rhythm in the activity, and at which frequency? A verdict, and a number where the verdict is yes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Picture, SimlabError, Variable
from simlab.questions.form import BaselineAnswer, answer, undefined
from simlab.rules import Within, check_fields, require

UNSTATED = 1.0
"""The relative error of a frequency that is not stated."""

Frequency = Annotated[float, Within(1e-3, 1000.0, "Hz", excluding=(1e-3,))]


@dataclass(frozen=True)
class Oscillation:
    """Whether the population's activity has a rhythm, wherever it comes from, and the rhythm's frequency.

    A rhythm is a preferred frequency: activity at it exceeds what is there at lower and at higher ones, so that noise
    whose power falls with frequency (1/f) is none, however strong its slow waves are. The answer is `present`, and
    `frequency` [Hz] where that is True; a yes without a frequency is right as a verdict and recovers nothing.
    """

    name: ClassVar[str] = "oscillation"
    form: ClassVar[Mapping[str, Variable]] = MappingProxyType(
        {"present": Variable((), "flag"), "frequency": Variable((), optional=True, low=0.0)}
    )
    truth_form: ClassVar[Mapping[str, Variable]] = form
    metrics: ClassVar[tuple[str, ...]] = ("correct", "frequency_error", "frequency_bias")
    headline: ClassVar[str] = "correct"
    picture: ClassVar[Picture] = Picture("confusion", answer="present", truth="present")

    tolerance: Annotated[float, Within(0, 1)] = 0.1  # share of the true frequency
    guesses: tuple[Frequency, Frequency] = (4.0, 100.0)
    """Hz: theta to gamma, from which a blind guesser draws, as likely from each octave."""

    def __post_init__(self) -> None:
        check_fields(self)
        low, high = self.guesses
        require(low < high, f"guesses must be (lowest, highest) with lowest < highest, got {self.guesses}: swap them")

    def brief(self, family: tuple[str, ...], truth: xr.Dataset) -> Mapping[str, object]:
        """Nothing: what band to look at is part of the question."""
        return {}

    def project(self, truth: xr.Dataset, key: xr.DataArray) -> xr.Dataset:
        """The same: the population's rhythm, whoever of it is recorded. Raises SimlabError where a truth contradicts
        itself."""
        if bool(truth["present"]) != ("frequency" in truth):
            raise SimlabError(
                f"a true rhythm has a frequency, and no rhythm has none, got {sorted(map(str, truth.data_vars))} with "
                f"present={bool(truth['present'])}: state `frequency` if and only if there is one"
            )
        return truth[[name for name in self.form if name in truth]]

    def score(self, finding: Finding, truth: xr.Dataset) -> dict[str, float]:
        """correct: 0 or 1, of the verdict. frequency_error: |stated / true - 1| of a rhythm that was found, 1 where
        none is stated; frequency_bias: the same with its sign, for those stated. NaN where there is or was found no
        rhythm.
        """
        if finding.abstained:
            return undefined(self.metrics)
        given = answer(finding, self, truth)
        found, bias = bool(given["present"]), _bias(given, truth)
        error = UNSTATED if found and bool(truth["present"]) and np.isnan(bias) else abs(bias)
        return {"correct": float(found == bool(truth["present"])), "frequency_error": error, "frequency_bias": bias}

    def recovered(self, metrics: Mapping[str, float]) -> bool:
        """Whether the verdict is right and, of a rhythm, the frequency within `tolerance`."""
        return metrics["correct"] == 1.0 and not metrics["frequency_error"] > self.tolerance

    def false_recovery(self, finding: Finding, truth: xr.Dataset) -> bool:
        """Whether a rhythm is claimed where there is none, or at another frequency than its own."""
        if finding.abstained:
            return False
        given = answer(finding, self, truth)
        if not bool(given["present"]):
            return False
        return not bool(truth["present"]) or bool(abs(_bias(given, truth)) > self.tolerance)

    def chance(self, truth: xr.Dataset) -> dict[str, float]:
        """A coin's verdict: right half of the time, exact."""
        return {"correct": 0.5}

    def baselines(self) -> dict[str, BaselineAnswer]:
        """oracle: the truth. random and marginals_only: a coin, and a frequency from `guesses`; rates tell neither."""
        return {"oracle": _oracle, "random": self._coin, "marginals_only": self._coin}

    def _coin(self, truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        low, high = np.log(self.guesses)
        frequency, present = float(np.exp(rng.uniform(low, high))), bool(rng.random() < 0.5)
        return Finding({"present": present} | ({"frequency": frequency} if present else {}), confidence=0.5)


def _bias(given: Mapping[str, Any], truth: xr.Dataset) -> float:
    """stated / true - 1; NaN where either is missing."""
    if "frequency" not in given or "frequency" not in truth or not bool(given["present"]):
        return float("nan")
    return float(given["frequency"]) / float(truth["frequency"]) - 1.0


def _oracle(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return Finding({str(name): truth[name].values for name in truth.data_vars}, confidence=1.0)
