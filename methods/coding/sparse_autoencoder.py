"""Features by a sparse autoencoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, NamedTuple

import numpy as np
import xarray as xr

from methods.coding._dictionaries import BIN, NEEDS, LeastZ, NFeatures, finding, left_out, samples, wanted
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Width

RATES = (0.9, 0.999)
"""Of Adam's two moments (Kingma & Ba 2015)."""


BLOCK = 512
"""Samples that are rebuilt together: what fits the processor's cache."""


class Weights(NamedTuple):
    """encoder (unit, feature), bias (feature,), decoder (feature, unit) with rows of unit length."""

    encoder: np.ndarray
    bias: np.ndarray
    decoder: np.ndarray


@dataclass(frozen=True)
class SparseAutoencoder:
    """c = [x E + b]+, rebuilt as c D with rows of D of unit length; squared error plus `l1` times the sum of c.

    As in Sharkey et al. (2022) and Cunningham et al. (2023, arXiv 2309.08600), with encoder and decoder apart (Bricken
    et al. 2023), by Adam on batches of samples of unit mean square. Features that are never active are left out.
    Rebuilding well does not mean that features were found: the error only falls with less `l1` and more features.
    Abstains where activity along the features is Gaussian (`least_z`; 0: never, as published). Cost: `steps` products
    of a batch and the weights, in single precision: some 60 s of processor time for 256 units, 1,024 features and the
    million samples of 4,000 batches.
    """

    name: ClassVar[str] = "sparse_autoencoder"
    question: ClassVar[str] = "features"
    family: ClassVar[str] = "sparse coding"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = NEEDS

    n_features: NFeatures = 0
    l1: Annotated[float, Within(0, 100)] = 0.1
    steps: Annotated[int, Within(1, 1_000_000)] = 4000
    batch: Annotated[int, Within(1, 1_000_000)] = 256
    learning_rate: Annotated[float, Within(1e-6, 1)] = 3e-3
    bin_width: Width = BIN
    least_z: LeastZ = 5.0

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The decoder's rows of the features that are ever active."""
        x = samples(recording, self.bin_width, self.needs)
        if isinstance(x, Finding):
            return x
        trained = self.trained(x, rng)
        alive, rebuilt = _rebuilt(x, trained)
        return finding(x, trained.decoder[alive], left_out(x, rebuilt), self.least_z)

    def trained(self, x: np.ndarray, rng: np.random.Generator) -> Weights:
        """Weights after all steps on x (sample, unit)."""
        x = x.astype(np.float32)
        decoder = rng.standard_normal((wanted(self.n_features, x.shape[1]), x.shape[1])).astype(np.float32)
        decoder /= np.linalg.norm(decoder, axis=1, keepdims=True)
        weights = Weights(decoder.T.copy(), np.zeros(len(decoder), dtype=np.float32), decoder)
        first, second = ([np.zeros_like(w) for w in weights] for _ in range(2))
        for step in range(1, self.steps + 1):
            slopes = gradient(weights, x[rng.integers(len(x), size=self.batch)], self.l1)
            rate = self.learning_rate * min(1.0, 4 * (1 - step / (self.steps + 1)))  # falls over the last quarter
            for w, slope, m, v in zip(weights, slopes, first, second, strict=True):
                m += (1 - RATES[0]) * (slope - m)
                v += (1 - RATES[1]) * (slope**2 - v)
                w -= rate * (m / (1 - RATES[0] ** step)) / (np.sqrt(v / (1 - RATES[1] ** step)) + 1e-8)
            decoder = weights.decoder
            decoder /= np.maximum(np.linalg.norm(decoder, axis=1, keepdims=True), 1e-12)
        return weights


def _rebuilt(x: np.ndarray, weights: Weights) -> tuple[np.ndarray, np.ndarray]:
    """Which features are ever active, (feature,), and x (sample, unit) as they rebuild it; in blocks of samples, as all
    samples' codes at once would fill gigabytes."""
    rebuilt, alive = np.empty_like(x), np.zeros(len(weights.decoder), dtype=bool)
    for k in range(0, len(x), BLOCK):
        code = x[k : k + BLOCK].astype(np.float32) @ weights.encoder
        code += weights.bias
        np.maximum(code, 0.0, out=code)
        alive |= code.max(axis=0) > 0
        rebuilt[k : k + BLOCK] = code @ weights.decoder
    return alive, rebuilt


def loss(weights: Weights, x: np.ndarray, l1: float) -> float:
    """Mean over samples (sample, unit) of squared error and l1 times the sum of the code."""
    code = np.maximum(x @ weights.encoder + weights.bias, 0.0)
    return float((((code @ weights.decoder - x) ** 2).sum(axis=1) + l1 * code.sum(axis=1)).mean())


def gradient(weights: Weights, x: np.ndarray, l1: float) -> Weights:
    """Slopes of `loss` with respect to each weight."""
    before = x @ weights.encoder + weights.bias
    code = np.maximum(before, 0.0)
    error = 2 * (code @ weights.decoder - x) / len(x)
    inward = (error @ weights.decoder.T + l1 / len(x)) * (before > 0)
    return Weights(x.T @ inward, inward.sum(axis=0), code.T @ error)
