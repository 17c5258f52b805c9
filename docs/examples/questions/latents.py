"""What is the population's activity a function of? Latent variables over trials and time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Picture, Variable
from simlab.questions.form import BaselineAnswer, answer, undefined

COURSE = ("trial", "time", "factor")


@dataclass(frozen=True)
class Latents:
    """Time courses that span what drives the population, up to an affine map: their axes have no names.

    Both ways count: the answer must predict the true latents (nothing is missing), and the true latents the answer
    (nothing is made up).
    """

    name: ClassVar[str] = "latents"
    form: ClassVar[Mapping[str, Variable]] = {"latent": Variable(COURSE)}
    truth_form: ClassVar[Mapping[str, Variable]] = {"latent": Variable(COURSE)}
    metrics: ClassVar[tuple[str, ...]] = ("r2", "r2_truth", "r2_answer", "n_factors")
    headline: ClassVar[str] = "r2"
    picture: ClassVar[Picture] = Picture("traces", answer="latent", truth="latent")

    least_r2: float = 0.9  # recovered at this share of variance explained, both ways
    least_found: float = 0.1  # an answer that explains less of the truth than this is made up

    def brief(self, family: tuple[str, ...], truth: xr.Dataset) -> Mapping[str, Any]:
        """The times [s] at which the latents are asked for."""
        return {"times": tuple(truth["time"].values.tolist())}

    def project(self, truth: xr.Dataset, key: xr.DataArray) -> xr.Dataset:
        """The same: whoever sees part of the population is asked for what drives all of it."""
        return truth[["latent"]]

    def score(self, finding: Finding, truth: xr.Dataset) -> dict[str, float]:
        """r2_truth, r2_answer: variance of one explained by the best affine map of the other; r2: the smaller one."""
        if finding.abstained:
            return undefined(self.metrics)
        said = answer(finding, self, truth.drop_dims("factor"))["latent"]
        true = truth["latent"].transpose(*COURSE).values
        ways = {"r2_truth": explained(true, said), "r2_answer": explained(said, true)}
        return {"r2": min(ways.values()), **ways, "n_factors": float(said.shape[2])}

    def recovered(self, metrics: Mapping[str, float]) -> bool:
        """Whether both ways reach `least_r2`."""
        return bool(metrics["r2"] >= self.least_r2)

    def false_recovery(self, finding: Finding, truth: xr.Dataset) -> bool:
        """Whether latents were claimed that have next to nothing of the true ones."""
        return not finding.abstained and self.score(finding, truth)["r2_truth"] < self.least_found

    def chance(self, truth: xr.Dataset) -> dict[str, float]:
        """What as many series of white noise get on average: k regressors of n samples explain k / (n - 1)."""
        n, k = truth.sizes["trial"] * truth.sizes["time"], truth.sizes["factor"]
        return {"r2": k / (n - 1), "r2_truth": k / (n - 1), "r2_answer": k / (n - 1)}

    def baselines(self) -> Mapping[str, BaselineAnswer]:
        """oracle: the truth. random: white noise. marginals_only: the units' mean count, which knows no axes."""
        return {"oracle": _oracle, "random": _random, "marginals_only": _mean_count}


def explained(target: np.ndarray, source: np.ndarray) -> float:
    """Share of the variance of `target` (..., factor) that the best affine map of `source` (..., other) explains."""
    y, x = (a.reshape(-1, a.shape[-1]) for a in (target, source))
    design = np.column_stack([x, np.ones(len(x))])
    left = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    return float(1 - left.var(axis=0).sum() / max(y.var(axis=0).sum(), 1e-12))


def _oracle(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return Finding({"latent": truth["latent"].values}, confidence=1.0)


def _random(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return Finding({"latent": rng.standard_normal(truth["latent"].shape)})


def _mean_count(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    from simlab.data import bin_spikes

    step = float(np.diff(truth["time"].values[:2])[0])
    return Finding({"latent": bin_spikes(recording, step).mean("unit").values[..., None].astype(float)})
