"""The model that explains most by fewest parameters: information criteria."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
import xarray as xr

from methods.models._candidates import NEEDS, beside, ranked, varying
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields


@dataclass(frozen=True)
class InformationCriterion:
    """Units are regressed on each model's first principal components, and every one of these is paid for.

    `score`: the log likelihood per bin and unit, with Gaussian errors of a size of each unit's own, less log(n) / 2n
    (bic: Schwarz 1978, Ann Stat 6:461) or 1 / n (aic: Akaike 1974) for each component, of as many as are best, up to
    `components`. The same likelihood of another basis: a penalty buys short descriptions, which the right model has if
    its components lie along its own axes of largest variance, and not otherwise. It assumes independent errors.
    Cost: seconds.
    """

    name: ClassVar[str] = "information_criterion"
    question: ClassVar[str] = "model_choice"
    family: ClassVar[str] = "penalised likelihood"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = NEEDS

    criterion: Literal["bic", "aic"] = "bic"
    components: Annotated[int, Within(1, 1000)] = 100

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The penalised likelihood, for each candidate."""
        found = beside(recording, self.needs)
        if isinstance(found, Finding):
            return found
        units = found.units - found.units.mean(axis=0)
        n = len(units)
        price = (np.log(n) / 2 if self.criterion == "bic" else 1.0) / n

        def worth(model: np.ndarray) -> float:
            left = unexplained(varying(model), units, min(self.components, n // 10))
            likelihood = -0.5 * np.log(np.maximum(left, 1e-12)).mean(axis=1)
            return float((likelihood - price * np.arange(len(left))).max())

        return ranked(found, worth)


def unexplained(features: np.ndarray, units: np.ndarray, most: int) -> np.ndarray:
    """(component + 1, unit): the share of a unit's variance left by 0, 1, 2 ... components; all about their means."""
    size, axes = np.linalg.eigh(features.T @ features)
    kept = [k for k in np.argsort(size)[::-1][:most] if size[k] > 1e-9 * size.max()]
    scores = features @ axes[:, kept]
    gained = np.square(scores.T @ units) / size[kept][:, None] / np.square(units).sum(axis=0)
    return np.asarray(1 - np.concatenate([np.zeros((1, units.shape[1])), np.cumsum(gained, axis=0)]))
