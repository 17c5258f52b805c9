"""Features by the sparse autoencoder that some measure prefers among several: which measure knows a good one?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

import numpy as np
import xarray as xr

from methods.coding._dictionaries import BIN, NEEDS, LeastZ, NFeatures, finding, left_out, samples
from methods.coding.sparse_autoencoder import SparseAutoencoder, Weights
from simlab.contracts import Finding, Needs, SimlabError
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Width

By = Literal["reconstruction", "description_length", "agreement", "consistency"]

TOP = 20
"""Samples that activate a feature most: so many are held against one another."""


@dataclass(frozen=True)
class SelectedDictionary:
    """Sparse autoencoders are trained under several penalties, and the best one by a measure is the answer.

    Each is trained on every other sample and judged on the rest (`by`):

    - `reconstruction`: the least error of what is rebuilt.
    - `description_length`: the fewest bits for the codes, the residuals and the dictionary, all to the same
      `precision` (a two-part code, as of Ayonrinde, Pearce & Sharkey 2024, arXiv 2410.11179): which features are active
      (the entropy of how often each is), how strong (exponential), what is left (Gaussian), and half a logarithm of the
      number of samples for each weight of a feature that is ever active.
    - `agreement`: the mean greatest cosine with a second dictionary, trained on the other samples, takes the place of
      the truth's (Sharkey, Braun & Millidge 2022, who compare dictionaries of two sizes).
    - `consistency`: how alike the samples are that activate a feature most: their mean cosine, less that of samples
      drawn at random, as raters of maximally activating examples judge (Cunningham et al. 2023, arXiv 2309.08600).

    The chosen penalty trains once more on all samples. Cost: as many trainings as penalties and one, or twice that.
    """

    name: ClassVar[str] = "selected_dictionary"
    question: ClassVar[str] = "features"
    family: ClassVar[str] = "model selection"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = NEEDS

    by: By = "description_length"
    penalties: tuple[float, ...] = (0.003, 0.03, 0.1, 0.4, 1.6)
    n_features: NFeatures = 0
    steps: Annotated[int, Within(1, 1_000_000)] = 4000
    precision: Annotated[float, Within(1e-6, 10)] = 0.1  # of the units' root mean square, that all is written down to
    bin_width: Width = BIN
    least_z: LeastZ = 5.0

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            len(set(self.penalties)) == len(self.penalties) > 1,
            f"penalties must be two or more, each once, got {self.penalties}: there is nothing to select otherwise",
        )
        self._coders()

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The dictionary of the chosen penalty; notes say what each was worth."""
        x = samples(recording, self.bin_width, self.needs)
        if isinstance(x, Finding):
            return x
        halves = (x[::2], x[1::2])
        seeds = rng.integers(2**63, size=3)
        values = [self._value(coder, halves, seeds) for coder in self._coders()]
        chosen = self._coders()[int(np.argmax(values))]
        weights = chosen.trained(x, np.random.default_rng(seeds[2]))
        code = codes(x, weights)
        alive = code.max(axis=0) > 0
        notes = {"penalty": chosen.l1} | {f"at {p:g}": v for p, v in zip(self.penalties, values, strict=True)}
        found = finding(x, weights.decoder[alive], left_out(x, code @ weights.decoder), self.least_z)
        return found if found.abstained else replace(found, notes=notes)

    def _coders(self) -> list[SparseAutoencoder]:
        try:
            return [SparseAutoencoder(self.n_features, penalty, self.steps) for penalty in self.penalties]
        except SimlabError as error:
            raise SimlabError(f"penalties must each be one of an autoencoder, got {self.penalties}: {error}") from None

    def _value(self, coder: SparseAutoencoder, halves: tuple[np.ndarray, np.ndarray], seeds: np.ndarray) -> float:
        """What is greatest for the dictionary to choose."""
        fitted, judged = halves
        weights = coder.trained(fitted, np.random.default_rng(seeds[0]))
        code = codes(judged, weights)
        alive = code.max(axis=0) > 0
        if not alive.any():
            return float("-inf")
        if self.by == "reconstruction":
            return -left_out(judged, code @ weights.decoder)
        if self.by == "description_length":
            scale = self.precision * float(np.sqrt((judged**2).mean()))
            return -description_length(judged, code[:, alive], weights.decoder[alive], scale)
        if self.by == "consistency":
            return consistency(judged, code[:, alive])
        other = coder.trained(judged, np.random.default_rng(seeds[1]))
        again = other.decoder[codes(fitted, other).max(axis=0) > 0]
        return agreement(weights.decoder[alive], again) if len(again) else float("-inf")


def codes(x: np.ndarray, weights: Weights) -> np.ndarray:
    """(sample, feature)."""
    return np.asarray(np.maximum(x.astype(np.float32) @ weights.encoder + weights.bias, 0.0))


def description_length(x: np.ndarray, code: np.ndarray, dictionary: np.ndarray, precision: float) -> float:
    """Bits per sample of x (sample, unit) by a code (sample, feature) and its dictionary (feature, unit).

    wanted to `precision`, in the units of x: what is smaller takes no bits.
    """
    active = code > 0
    share = active.mean(axis=0)
    certain = np.clip(share, 1e-12, 1 - 1e-12)
    which = -(certain * np.log2(certain) + (1 - certain) * np.log2(1 - certain))
    strength = code.sum(axis=0) / np.maximum(active.sum(axis=0), 1)
    how = share * np.log2(np.maximum(np.exp(1.0) * strength / precision, 1.0))
    residual = (x - code @ dictionary).var(axis=0)
    left = 0.5 * np.log2(1 + 2 * np.pi * np.exp(1.0) * residual / precision**2)
    weights = dictionary.size * 0.5 * np.log2(len(x)) / len(x)
    return float(which.sum() + how.sum() + left.sum() + weights)


def agreement(one: np.ndarray, other: np.ndarray) -> float:
    """Mean greatest cosine of rows with any of the other's, both ways; rows of unit length."""
    cosine = one @ other.T
    return float((cosine.max(axis=1).mean() + cosine.max(axis=0).mean()) / 2)


def consistency(x: np.ndarray, code: np.ndarray) -> float:
    """Mean cosine of the samples x (sample, unit) that activate a feature most, over features, less that of any two."""
    length = np.linalg.norm(x, axis=1, keepdims=True)
    direction = x / np.where(length > 0, length, 1.0)
    n = min(TOP, len(x))
    top = np.argpartition(-code, n - 1, axis=0)[:n]
    of_top = np.array([_mean_cosine(direction[rows]) for rows in top.T])
    return float(of_top.mean() - _mean_cosine(direction))


def _mean_cosine(direction: np.ndarray) -> float:
    """Over pairs of different rows (sample, unit) of unit length."""
    n = len(direction)
    square = float((direction.sum(axis=0) ** 2).sum())
    return (square - float((direction**2).sum())) / max(n * (n - 1), 1)
