"""One filter or two, fitted by a method's own model, and as many of them as held-out frames confirm."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np

from methods.coding._frames import Looked, folds, foretold


class Model(Protocol):
    """A fitted cell: what it says of frames."""

    @property
    def filters(self) -> np.ndarray:
        """(filter, feature)."""

    @property
    def objective(self) -> float:
        """What was made as small as possible."""

    def expected(self, frames: np.ndarray) -> np.ndarray:
        """(frame,): the count that is expected in each of the frames (frame, feature)."""


class Fit(Protocol):
    """How a model is fitted: to frames (frame, feature) and counts (frame,), from filters (filter, feature) on."""

    def __call__(self, frames: np.ndarray, count: np.ndarray, start: np.ndarray) -> Model: ...


class Starts(NamedTuple):
    """average (feature,) and the directions (feature, direction) in which frames with spikes vary most, most first."""

    average: np.ndarray
    varying: np.ndarray


def starts(frames: np.ndarray, count: np.ndarray) -> Starts:
    """Where searches begin, both in frames made white as far as they vary: the estimates of spike triggering."""
    value, direction = np.linalg.eigh(frames.T @ frames / len(frames))
    scale = np.where(value > 1e-3 * value[-1], 1 / np.sqrt(np.maximum(value, 1e-300)), 0.0)
    root = direction * scale
    white = frames @ root
    average = white.T @ count / count.sum()
    moment = white.T @ (white * count[:, None]) / count.sum()
    varying = np.linalg.eigh(moment)[1][:, ::-1]
    return Starts(root @ average, root @ varying[:, : max(int((scale > 0).sum()), 1)])


def confirmed(found: Looked, fit: Fit, least_z: float) -> np.ndarray:
    """(2, unit, feature): each unit's filters, none, one or two.

    The first counts if held-out counts correlate with their prediction beyond `least_z` standard errors, the second if
    the likelihood that it adds to held-out counts is as far above zero. Filters are then fitted to all frames.
    """
    filters = np.zeros((2, found.counts.shape[1], found.frames.shape[1]))
    held = folds(len(found.frames), 4) == 3
    for unit, count in enumerate(found.counts.T):
        if not (count[~held].any() and count[held].any()):
            continue
        judged = _judged(found.frames, count, held, fit, least_z)
        if judged is not None:
            last = fit(found.frames, count, judged.filters).filters
            up = np.where((found.frames @ last.T).T @ count < 0, -1.0, 1.0)  # towards where the unit fires more
            filters[: len(last), unit] = last * up[:, None]
    return filters


def _judged(frames: np.ndarray, count: np.ndarray, held: np.ndarray, fit: Fit, least_z: float) -> Model | None:
    """The model, fitted to what is not held out, of as many filters as what is held out confirms."""
    rest, seen = frames[~held], count[~held]
    begin = starts(rest, seen)
    one = min((fit(rest, seen, start[None]) for start in (begin.average, begin.varying[:, 0])), key=_objective)
    said = one.expected(frames[held])
    # a second filter can show where one alone foretells little
    sure = foretold(Looked(frames[held], count[held, None]), said[:, None], least_z)[0]
    two = fit(rest, seen, np.stack([one.filters[0], _other(begin.varying, one.filters[0], rest)]))
    gain = _gain(count[held], said, two.expected(frames[held]))
    if sure and gain <= least_z:
        return one
    both = foretold(Looked(frames[held], count[held, None]), two.expected(frames[held])[:, None], least_z)[0]
    return two if both and gain > least_z else None


def _objective(model: Model) -> float:
    return model.objective


def _other(varying: np.ndarray, first: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """(feature,): of the two directions of most variance the one whose products are less like those with `first`."""
    along = frames @ first
    pair = varying[:, : min(2, varying.shape[1])]
    alike = np.abs(along @ (frames @ pair)) / (np.linalg.norm(frames @ pair, axis=0) + 1e-300)
    return np.asarray(pair[:, int(alike.argmin())])


def _gain(count: np.ndarray, one: np.ndarray, two: np.ndarray) -> float:
    """Poisson log likelihood that the second expectation (frame,) adds to the first, in standard errors."""
    least = 1e-3 * max(float(count.mean()), 1e-12)
    one, two = np.maximum(one, least), np.maximum(two, least)
    each = count * np.log(two / one) - (two - one)
    spread = float(each.std())
    return float(each.mean() / spread * np.sqrt(len(each))) if spread > 0 else 0.0
