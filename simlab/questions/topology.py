"""What shape is the set of states? Betti numbers of the manifold that the noise-free population visits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Picture, Variable
from simlab.questions.form import BaselineAnswer, answer, undefined
from simlab.rules import Within, check_fields, require

BETTI = ("b0", "b1", "b2")
Betti = Annotated[int, Within(0, 1000)]

CONTRACTIBLE, TWO_POINTS, RING, SPHERE, TORUS = (1, 0, 0), (2, 0, 0), (1, 1, 0), (1, 0, 1), (1, 2, 1)
"""Betti numbers (b0, b1, b2) of the shapes that population codes are thought to have."""


@dataclass(frozen=True)
class Topology:
    """Betti numbers of the state space: how many pieces (b0), loops (b1) and voids (b2) it has."""

    name: ClassVar[str] = "topology"
    form: ClassVar[Mapping[str, Variable]] = MappingProxyType({b: Variable((), "whole", low=0) for b in BETTI})
    truth_form: ClassVar[Mapping[str, Variable]] = form
    metrics: ClassVar[tuple[str, ...]] = ("exact", "b0_error", "b1_error", "b2_error")
    headline: ClassVar[str] = "exact"
    picture: ClassVar[Picture] = Picture("scatter", answer="b1", truth="b1")

    # what a blind guesser draws from, each equally likely
    shapes: tuple[tuple[Betti, Betti, Betti], ...] = (CONTRACTIBLE, TWO_POINTS, RING, SPHERE, TORUS)

    def __post_init__(self) -> None:
        check_fields(self)
        require(len(self.shapes) > 0, "shapes must be at least one, got (): a guesser needs something to draw from")

    def brief(self, family: tuple[str, ...], truth: xr.Dataset) -> Mapping[str, object]:
        """Nothing: any numbers may be right."""
        return {}

    def project(self, truth: xr.Dataset, key: xr.DataArray) -> xr.Dataset:
        """The same numbers: whoever sees enough units sees the manifold's image, which is of the same shape.

        Too few units can fold it onto itself; that is what the instrument hides, and the truth stays.
        """
        return truth[list(BETTI)]

    def score(self, finding: Finding, truth: xr.Dataset) -> dict[str, float]:
        """exact: 1 if all three agree, else 0; the errors are absolute."""
        if finding.abstained:
            return undefined(self.metrics)
        error = np.abs(self._answer(finding, truth) - _betti(truth))
        return {"exact": float(not error.any())} | {f"{b}_error": float(e) for b, e in zip(BETTI, error, strict=True)}

    def recovered(self, metrics: Mapping[str, float]) -> bool:
        """Whether all three numbers are exact."""
        return metrics["exact"] == 1.0

    def false_recovery(self, finding: Finding, truth: xr.Dataset) -> bool:
        """Whether loops or voids were claimed beyond those that there are."""
        return not finding.abstained and bool((self._answer(finding, truth) > _betti(truth))[1:].any())

    def chance(self, truth: xr.Dataset) -> dict[str, float]:
        """What a guess among `shapes` gets on average: exact, since they are few and equally likely."""
        errors = np.abs(np.array(self.shapes) - _betti(truth))
        exact = float(np.mean(~errors.any(axis=1)))
        return {"exact": exact} | {f"{b}_error": float(e) for b, e in zip(BETTI, errors.mean(axis=0), strict=True)}

    def baselines(self) -> dict[str, BaselineAnswer]:
        """oracle: the truth. random: one of `shapes`. marginals_only: see `_marginals_only`."""
        return {"oracle": _oracle, "random": self._random, "marginals_only": self._marginals_only}

    def _answer(self, finding: Finding, truth: xr.Dataset) -> np.ndarray:
        given = answer(finding, self, truth)
        return np.array([int(given[b]) for b in BETTI])

    def _random(self, truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        return _guess(self.shapes, rng)

    def _marginals_only(self, truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """What single units' variability tells: no more than Poisson, one state; else any shape but that."""
        if not _varies(recording):
            return _guess((CONTRACTIBLE,), rng)
        return _guess(tuple(shape for shape in self.shapes if shape != CONTRACTIBLE), rng)


def _betti(truth: xr.Dataset) -> np.ndarray:
    return np.array([int(truth[name]) for name in BETTI])


def _guess(shapes: tuple[tuple[int, int, int], ...], rng: np.random.Generator) -> Finding:
    numbers = shapes[rng.integers(len(shapes))]
    return Finding(dict(zip(BETTI, numbers, strict=True)), confidence=1 / len(shapes))


def _oracle(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return Finding(dict(zip(BETTI, _betti(truth).tolist(), strict=True)), confidence=1.0)


def _varies(recording: xr.Dataset, bin_width: float = 0.1) -> bool:
    """Whether most units' counts vary more than Poisson; traces, which have no such yardstick, count as varying.

    Over n bins a Poisson unit's Fano factor has mean 1 and standard deviation sqrt(2/(n-1)) (chi-squared limit),
    so that about one such unit in a thousand passes 1 + 3 of these.
    """
    from simlab.data import bin_spikes, is_spiking

    if not is_spiking(recording):
        return True
    counts = bin_spikes(recording, min(bin_width, recording.attrs["duration"])).values
    counts = counts.reshape(-1, counts.shape[2]).astype(float)
    counts = counts[:, counts.any(axis=0)]
    if len(counts) < 2 or counts.shape[1] == 0:
        return False
    fano = counts.var(axis=0, ddof=1) / counts.mean(axis=0)
    return bool(np.median(fano) > 1 + 3 * np.sqrt(2 / (len(counts) - 1)))
