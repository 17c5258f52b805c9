"""What hidden signals is the population's activity a function of? Factors over time, up to an affine map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Picture, Variable
from simlab.data import signals
from simlab.questions.form import BaselineAnswer, sizes_of, undefined, validate

_FACTORS = ("trial", "time", "factor")


@dataclass(frozen=True)
class Latents:
    """Factors at the times that the brief lists, as many as the method thinks that there are.

    Factors are known up to an affine map, so each side is regressed on the other: a true factor that is missed costs,
    and so does a claimed one that is not there.
    """

    name: ClassVar[str] = "clock_latents"
    form: ClassVar[Mapping[str, Variable]] = MappingProxyType({"latent": Variable(_FACTORS)})
    truth_form: ClassVar[Mapping[str, Variable]] = form
    metrics: ClassVar[tuple[str, ...]] = ("r2", "r2_found", "r2_real")
    headline: ClassVar[str] = "r2"
    picture: ClassVar[Picture] = Picture("traces", answer="latent", truth="latent")

    least_r2: float = 0.9  # recovered at this share of variance, both ways
    least_real: float = 0.1  # share of the claimed factors' variance that must be true, or they were made up

    def brief(self, family: tuple[str, ...], truth: xr.Dataset) -> Mapping[str, Any]:
        """The `times` [s from trial onset] at which the factors are asked for."""
        return {"times": tuple(truth["time"].values.tolist())}

    def project(self, truth: xr.Dataset, key: xr.DataArray) -> xr.Dataset:
        """The same factors: they belong to the population, whoever of it is seen."""
        return truth[["latent"]]

    def score(self, finding: Finding, truth: xr.Dataset) -> dict[str, float]:
        """r2_found: of the true factors, given the claimed ones. r2_real: the other way. r2: the lesser of the two.

        Each is a share of variance explained by least squares with an intercept, averaged over factors.
        """
        if finding.abstained:
            return undefined(self.metrics)
        claimed, true = self._claimed(finding, truth), _rows(truth["latent"].transpose(*_FACTORS).values)
        found, real = _explained(true, claimed), _explained(claimed, true)
        return {"r2": min(found, real), "r2_found": found, "r2_real": real}

    def recovered(self, metrics: Mapping[str, float]) -> bool:
        """Whether R2 reaches `least_r2` both ways."""
        return bool(metrics["r2"] >= self.least_r2)

    def false_recovery(self, finding: Finding, truth: xr.Dataset) -> bool:
        """Whether the claimed factors are made up: the true ones explain less than `least_real` of them.

        A noisy image of what is there is no invention, hence the low bar.
        """
        if finding.abstained:
            return False
        true = _rows(truth["latent"].transpose(*_FACTORS).values)
        return _explained(self._claimed(finding, truth), true) < self.least_real

    def chance(self, truth: xr.Dataset) -> dict[str, float]:
        """What as many factors of white noise get: k regressors explain k / (n - 1) of n samples' variance.

        That expectation is exact for each way; the lesser of the two is a little below it.
        """
        n = truth.sizes["trial"] * truth.sizes["time"]
        return dict.fromkeys(self.metrics, min(1.0, truth.sizes["factor"] / max(n - 1, 1)))

    def baselines(self) -> dict[str, BaselineAnswer]:
        """oracle: the truth. random: white noise. marginals_only: the traces of the units that vary most.

        Each gives as many factors as there are (fewer where there are fewer units).
        """
        return {"oracle": _oracle, "random": _random, "marginals_only": _marginals_only}

    def _claimed(self, finding: Finding, truth: xr.Dataset) -> np.ndarray:
        """(sample, factor); trials and times must be the truth's, the number of factors need not."""
        return _rows(validate(finding, self, sizes_of(truth), truth.attrs.get("brief")).estimate["latent"])


def _rows(factors: np.ndarray) -> np.ndarray:
    """(trial, time, factor) as (sample, factor)."""
    return factors.reshape(-1, factors.shape[2])


def _explained(wanted: np.ndarray, given: np.ndarray) -> float:
    """R2 of each wanted factor (sample, factor) on the given ones and a constant, averaged; constants count as 0."""
    if not wanted.shape[1]:
        return 0.0
    design = np.column_stack([np.ones(len(given)), given])
    residual = wanted - design @ np.linalg.lstsq(design, wanted, rcond=None)[0]
    variance = wanted.var(axis=0)
    kept = np.divide(residual.var(axis=0), variance, out=np.ones(len(variance)), where=variance > 0)
    return float(np.mean(1 - kept))


def _oracle(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return Finding({"latent": truth["latent"].transpose(*_FACTORS).values}, confidence=1.0)


def _random(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return Finding({"latent": rng.normal(size=truth["latent"].transpose(*_FACTORS).shape)})


def _marginals_only(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    times = truth["time"].values
    step = float(np.diff(times).min()) if len(times) > 1 else float(recording.attrs["duration"])
    seen = signals(recording, step)
    last = np.searchsorted(seen["time"].values, times + 1e-9, side="right") - 1  # the bin or sample of each time
    traces = np.nan_to_num(seen.values[:, np.clip(last, 0, None)].astype(float))
    busiest = np.argsort(-traces.var(axis=(0, 1)), kind="stable")[: truth.sizes["factor"]]
    return Finding({"latent": traces[:, :, busiest]})
