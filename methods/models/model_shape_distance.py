"""The angle between each model's shape and the recording's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.models._candidates import NEEDS, averaged, beside, folds, ranked, shown_alike, varying
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields

LEAST_STIMULI = 10


@dataclass(frozen=True)
class ModelShapeDistance:
    """Procrustes: patterns of a model, turned to lie on the recorded ones as well as they can.

    `score`: the cosine of the angle between both sets of patterns, of one size, after the best rotation (Williams et
    al. 2021, arXiv 2110.14739). The rotation is fitted without a fold of the stimuli and judged in it; n_folds=0: in
    all, as there, where it is fitted to noise as well and the cosine grows with the number of a model's units. A
    rotation can weigh nothing: what the model has and the brain has not counts against it, unlike in a regression.
    Where the same was shown in several trials, they are averaged. Cost: seconds.
    """

    name: ClassVar[str] = "model_shape_distance"
    question: ClassVar[str] = "model_choice"
    family: ClassVar[str] = "shape"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = NEEDS

    n_folds: Annotated[int, Within(0, 50, excluding=(1,))] = 5

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The cosine, for each candidate."""
        found = beside(recording, self.needs)
        if isinstance(found, Finding):
            return found
        shown = shown_alike(recording, found)
        number = int(shown.max()) + 1
        if number < max(LEAST_STIMULI, self.n_folds):
            return Finding.abstain(f"{number} stimuli are too few to turn patterns by: it takes {LEAST_STIMULI}")
        units = varying(averaged(found.units, shown))
        fold = folds(np.arange(number), self.n_folds) if self.n_folds else np.zeros(number, dtype=int)

        def cosine(model: np.ndarray) -> float | None:
            features = varying(averaged(model, shown))
            return turned(units, features, fold, apart=self.n_folds > 0) if features.size else None

        return ranked(found, cosine)


def turned(x: np.ndarray, y: np.ndarray, fold: np.ndarray, *, apart: bool) -> float:
    """The cosine of patterns x and y (stimulus, ..) after a rotation, judged in each fold; apart: fitted to others."""
    product = 0.0
    for k in np.unique(fold):
        test = fold == k
        train = ~test if apart else test
        left, _, right = np.linalg.svd(x[train].T @ y[train], full_matrices=False)
        product += float(((x[test] @ left) * (y[test] @ right.T)).sum())
    size = float(np.linalg.norm(x) * np.linalg.norm(y))
    return product / size if size > 0 else 0.0
