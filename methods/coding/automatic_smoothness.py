"""Receptive fields by regression with a smooth prior, as smooth as the recording itself says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, NamedTuple

import numpy as np
import xarray as xr

from methods.coding._frames import NEEDS, Looked, folds, foretold, looked, places
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields

WIDTHS = (0.0, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)
"""Of the prior, in features."""

RATIOS = np.logspace(-7, 1, 33)
"""Variance of a weight over that of the noise."""


class Best(NamedTuple):
    """filters (unit, feature), the most probable ones; width (unit,) of the prior."""

    filters: np.ndarray
    width: np.ndarray


@dataclass(frozen=True)
class AutomaticSmoothness:
    """Automatic smoothness determination (Sahani & Linden 2003, NIPS 15:317).

    Counts regressed on frames with a Gaussian prior in which weights covary as exp(-d^2 / (2 width^2)) with their
    distance d, known from the features' names; width and size of the prior are those of most evidence, for each unit,
    among some widths (0: a ridge) and many sizes. Noise is taken for Gaussian and its variance set to its best. A unit
    has a filter if counts of a held-out quarter correlate with their prediction by more than `least_z` standard
    errors. As linear as the average. Cost: an eigendecomposition over features for each width.
    """

    name: ClassVar[str] = "automatic_smoothness"
    question: ClassVar[str] = "receptive_field"
    family: ClassVar[str] = "Bayesian regression"
    library: ClassVar[str] = "numpy"
    needs: ClassVar[Needs] = NEEDS

    least_z: Annotated[float, Within(0, 100)] = 3.0

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Each unit's filter, or zeros."""
        found = looked(recording, self.needs)
        if isinstance(found, Finding):
            return found
        place, held = places(recording), folds(len(found.frames), 4) == 3
        rest = Looked(found.frames[~held], found.counts[~held])
        said = found.frames[held] @ most_probable(rest, place).filters.T
        sure = foretold(found._replace(counts=found.counts[held]), said, self.least_z)
        best = most_probable(found, place)
        filters = np.where(sure[:, None], best.filters, 0.0)
        return Finding({"filter": filters}, notes={"width": tuple(map(float, best.width))})


def most_probable(found: Looked, place: np.ndarray) -> Best:
    """The filters under the prior of most evidence."""
    x, y = found.frames, found.counts - found.counts.mean(axis=0)
    moment, product, power = x.T @ x, x.T @ y, (y**2).sum(axis=0)
    distance = ((place[:, None] - place[None]) ** 2).sum(axis=2)
    n_units = y.shape[1]
    best = Best(np.zeros((n_units, x.shape[1])), np.zeros(n_units))
    most = np.full(n_units, -np.inf)
    for width in WIDTHS:
        root = _root(distance, width)
        value, direction = np.linalg.eigh(root.T @ moment @ root)
        value, along = np.maximum(value, 0.0), direction.T @ (root.T @ product)
        evidence = _evidence(value, along, power, len(x))
        at, ratio = evidence.max(axis=0), RATIOS[evidence.argmax(axis=0)]
        better = at > most
        weights = root @ direction @ (along * ratio / (1 + ratio * value[:, None]))
        best.filters[better], best.width[better], most[better] = weights.T[better], width, at[better]
    return best


def _root(distance: np.ndarray, width: float) -> np.ndarray:
    """(feature, direction): a root of the prior's covariance, without the directions in which it is nothing."""
    if width == 0:
        return np.eye(len(distance))
    value, direction = np.linalg.eigh(np.exp(-distance / (2 * width**2)))
    kept = value > 1e-8 * value[-1]
    return np.asarray(direction[:, kept] * np.sqrt(value[kept]))


def _evidence(value: np.ndarray, along: np.ndarray, power: np.ndarray, n_frames: int) -> np.ndarray:
    """(ratio, unit): log evidence but for a constant, at the best variance of the noise.

    value (direction,): eigenvalues of the frames' second moment under the root of the prior; along (direction, unit):
    counts along them; power (unit,): summed squares of counts.
    """
    grown = 1 + RATIOS[:, None] * value
    left = power - (RATIOS[:, None] / grown) @ along**2
    noise = np.maximum(left, 1e-12 * np.maximum(power, 1e-300)) / n_frames
    return np.asarray(-0.5 * (np.log(grown).sum(axis=1)[:, None] + n_frames * np.log(noise)))
