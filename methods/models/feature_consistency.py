"""What two halves of the data find in a model must be the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, NamedTuple

import numpy as np
import xarray as xr

from methods.models._candidates import NEEDS, Beside, beside, correlations, folds, ranking, varying
from methods.models.model_predictivity import PENALTIES
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields


@dataclass(frozen=True)
class FeatureConsistency:
    """Each model is fitted to either half of the data along a path of complexity, and followed while halves agree.

    After Genkin & Engel (2020, Nat Mach Intell 2:674): many fits foretell equally well, and what is true of the data is
    what their halves both find. There, features are those of a potential, and the path that of gradient descent; here a
    unit's feature is the function of the stimulus that ridge regression on the model's units makes of it, and the path
    runs over falling penalties. Two functions agree as they correlate over all that was shown. `score`: how well halves
    foretell each other at the last penalty at which they agree, by `agreement` for the median unit; 0 where they never
    do. `fits`: they agree at the penalty that foretells best. A model that can be anything agrees with itself only
    while it is held back. It assumes that halves are alike. Cost: seconds; it grows with the cube of the features.
    """

    name: ClassVar[str] = "feature_consistency"
    question: ClassVar[str] = "model_choice"
    family: ClassVar[str] = "consistency"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = NEEDS

    agreement: Annotated[float, Within(0, 1)] = 0.8

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The score of each candidate, and which are consistent where they foretell best."""
        found = beside(recording, self.needs)
        if isinstance(found, Finding):
            return found
        half = folds(found.trial, 2) == 1
        paths = [None if model is None else followed(model, found, half) for model in found.models]
        scores = [None if path is None else self._score(path) for path in paths]
        fits = [path is not None and self._fits(path) for path in paths]
        return ranking(scores, fits)

    def _score(self, path: Path) -> float:
        agreed = np.flatnonzero(np.logical_and.accumulate(path.agreement >= self.agreement))
        return float(path.foretold[agreed[-1]]) if agreed.size else 0.0

    def _fits(self, path: Path) -> bool:
        best = int(np.argmax(path.foretold))
        return bool(path.agreement[best] >= self.agreement and path.foretold[best] > 0)


class Path(NamedTuple):
    """Along falling penalties: correlations of the median unit."""

    agreement: np.ndarray  # (penalty,) of both halves' functions with each other
    foretold: np.ndarray  # (penalty,) of each half with what the other makes of it


def followed(model: np.ndarray, found: Beside, half: np.ndarray) -> Path:
    """The path of a model's fits to either half."""
    x = varying(model)
    if not x.size:
        return Path(*np.zeros((2, len(PENALTIES))))
    x /= x.std(axis=0)
    said = np.stack([_fits(x, found.units, side) for side in (half, ~half)])  # (half, penalty, sample, unit)
    agreement = [np.median(correlations(one, other)) for one, other in zip(*said, strict=True)]
    foretold = [
        np.median([correlations(said[i, k, test], found.units[test]) for i, test in enumerate((~half, half))])
        for k in range(len(PENALTIES))
    ]
    return Path(np.array(agreement), np.array(foretold))


def _fits(x: np.ndarray, units: np.ndarray, train: np.ndarray) -> np.ndarray:
    """(penalty, sample, unit): what ridge regression on one half makes of all samples, from the largest penalty on."""
    centre = x[train].mean(axis=0)
    value, axes = np.linalg.eigh((x[train] - centre).T @ (x[train] - centre))
    along = axes.T @ ((x[train] - centre).T @ (units[train] - units[train].mean(axis=0)))
    moved, root = (x - centre) @ axes, float(np.sqrt(train.sum()))
    return np.stack([moved @ (along / (np.maximum(value, 0) + p * root)[:, None]) for p in PENALTIES[::-1]])
