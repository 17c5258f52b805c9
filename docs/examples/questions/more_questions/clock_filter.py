"""What in the stimulus moves a unit? A linear filter per unit, over lags and features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Picture, Variable
from simlab.questions.form import BaselineAnswer, answer, undefined

_FILTER = ("unit", "lag", "feature")


@dataclass(frozen=True)
class ReceptiveField:
    """The filter of each unit, (unit, lag, feature), up to a positive factor; all zeros say that there is none.

    The brief lists the `lags` [s] and the `features` of the stimulus. Units that have no receptive field are not asked
    about, but a filter claimed for one is a false one.
    """

    name: ClassVar[str] = "clock_filter"
    form: ClassVar[Mapping[str, Variable]] = MappingProxyType({"filter": Variable(_FILTER)})
    truth_form: ClassVar[Mapping[str, Variable]] = MappingProxyType({"filter": Variable(("neuron", "lag", "feature"))})
    metrics: ClassVar[tuple[str, ...]] = ("median_cosine", "share_alike")
    headline: ClassVar[str] = "median_cosine"
    picture: ClassVar[Picture] = Picture("filters", answer="filter", truth="filter")

    least_cosine: float = 0.8  # between true and answered filter; recovered where the median unit reaches it
    least_related: float = 0.3  # a claimed filter below this cosine has nothing to do with the true one

    def brief(self, family: tuple[str, ...], truth: xr.Dataset) -> Mapping[str, Any]:
        """`lags` [s], in the order of the filter: how long before the response; `features`: their names."""
        return {
            "lags": tuple(truth["lag"].values.tolist()),
            "features": tuple(str(name) for name in truth["feature"].values),
        }

    def project(self, truth: xr.Dataset, key: xr.DataArray) -> xr.Dataset:
        """`filter` (unit, lag, feature): the key's shares of the neurons' filters, added up."""
        return xr.Dataset({"filter": xr.dot(key, truth["filter"], dim="neuron").transpose(*_FILTER)})

    def score(self, finding: Finding, truth: xr.Dataset) -> dict[str, float]:
        """median_cosine: over the units that have a receptive field. share_alike: of them at `least_cosine` or above.

        A unit that was given no filter has cosine 0. NaN where no unit has a receptive field.
        """
        if finding.abstained:
            return undefined(self.metrics)
        true, claimed = self._both(finding, truth)
        cosines = _cosines(true, claimed)[true.any(axis=1)]
        if not len(cosines):
            return undefined(self.metrics)
        alike = cosines >= self.least_cosine
        return {"median_cosine": float(np.median(cosines)), "share_alike": float(alike.mean())}

    def recovered(self, metrics: Mapping[str, float]) -> bool:
        """Whether the median cosine reaches `least_cosine`."""
        return bool(metrics["median_cosine"] >= self.least_cosine)

    def false_recovery(self, finding: Finding, truth: xr.Dataset) -> bool:
        """Whether most of the filters that were claimed are not there: no such field, or nothing like it."""
        if finding.abstained:
            return False
        true, claimed = self._both(finding, truth)
        stated = claimed.any(axis=1)
        return bool(stated.any() and np.mean(_cosines(true, claimed)[stated] < self.least_related) > 0.5)

    def chance(self, truth: xr.Dataset) -> dict[str, float]:
        """What filters of random direction get, exactly.

        In d dimensions (1 + cosine) / 2 has a Beta((d-1)/2, (d-1)/2) distribution: its median is that of cosine 0,
        and share_alike is its tail.
        """
        from scipy.special import betainc

        if not truth["filter"].values.any():
            return undefined(self.metrics)
        half = (truth.sizes["lag"] * truth.sizes["feature"] - 1) / 2
        tail = 0.5 if half == 0 else 1 - betainc(half, half, (1 + self.least_cosine) / 2)
        return {"median_cosine": 0.0, "share_alike": float(tail)}

    def baselines(self) -> dict[str, BaselineAnswer]:
        """oracle: the truth. random: white noise. marginals_only: one and the same flat filter.

        A rate says nothing of time or feature, so the last is all that units' rates and variances support.
        """
        return {"oracle": _oracle, "random": _random, "marginals_only": _flat}

    def _both(self, finding: Finding, truth: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
        """True and claimed filters, each (unit, lag x feature)."""
        true, claimed = truth["filter"].transpose(*_FILTER).values, answer(finding, self, truth)["filter"]
        return true.reshape(len(true), -1), claimed.reshape(len(claimed), -1)


def _cosines(true: np.ndarray, claimed: np.ndarray) -> np.ndarray:
    """Cosine (unit,) of rows; 0 where either is all zeros."""
    norms = np.linalg.norm(true, axis=1) * np.linalg.norm(claimed, axis=1)
    return np.divide((true * claimed).sum(axis=1), norms, out=np.zeros(len(true)), where=norms > 0)


def _oracle(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return Finding({"filter": truth["filter"].transpose(*_FILTER).values}, confidence=1.0)


def _random(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return Finding({"filter": rng.normal(size=truth["filter"].transpose(*_FILTER).shape)})


def _flat(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return Finding({"filter": np.ones(truth["filter"].transpose(*_FILTER).shape)})
