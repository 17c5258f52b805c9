"""Pushes of groups of units along the directions that last, and what becomes of them in these and in the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from methods.dynamics._slow_space import SlowSpace


@dataclass(frozen=True, eq=False)
class Push:
    """Units that are pulsed together, and the direction (factor,) of that push; empty if there is none."""

    units: tuple[int, ...]
    aim: np.ndarray


def choose_groups(space: SlowSpace, n_units: int, n_groups: int, rng: np.random.Generator) -> list[Push]:
    """Disjoint groups of units that load alike on the space's first one or two directions.

    On a line: those that rise with it and those that fall, each dealt out at random, so that what groups of one end
    have in common is the line alone. In a plane: neighbours around it; the fifth of the units that loads least is left
    out. Without a direction, units are dealt out at random.
    """
    factors = min(space.n_slow, 2)
    axes = space.axes[:, :factors]
    order = rng.permutation(n_units)
    if factors == 0:
        return [Push(tuple(sorted(part.tolist())), np.zeros(0)) for part in np.array_split(order, n_groups)]
    if factors == 1:
        ends = [order[axes[order, 0] > 0], order[axes[order, 0] <= 0]]
        parts = [(part, sign) for end, sign in zip(ends, (1.0, -1.0), strict=True) for part in _dealt(end, n_groups)]
        return [Push(tuple(sorted(part.tolist())), np.array([sign])) for part, sign in parts]
    size = np.linalg.norm(axes, axis=1)
    tuned = np.flatnonzero(size >= np.quantile(size, 0.2))
    around = tuned[np.argsort(np.arctan2(axes[tuned, 1], axes[tuned, 0]))]
    sectors = np.array_split(np.roll(around, rng.integers(len(around))), n_groups)
    return [Push(tuple(sorted(part.tolist())), _direction(axes[part].sum(axis=0))) for part in sectors]


def _dealt(end: np.ndarray, n_groups: int) -> list[np.ndarray]:
    """Half of the groups, of the units at one end; none where there are no units."""
    return [part for part in np.array_split(end, n_groups // 2) if len(part)]


def _direction(vector: np.ndarray) -> np.ndarray:
    return vector / max(float(np.linalg.norm(vector)), 1e-12)


@dataclass(frozen=True, eq=False)
class Shift:
    """By how much pushes moved the state along their aims, less what controls did, mean over groups; p that it is none
    (t test over groups, one-sided); by_group (group,)."""

    mean: float
    p: float
    by_group: np.ndarray


def shift(change: np.ndarray, group: np.ndarray, pushes: Sequence[Push], axes: np.ndarray, own: bool) -> Shift:
    """Of changes of activity (trial, unit) since before the push, seen in the pushed units (`own`) or in all others.

    group (trial,): which push, or -1 in controls. A state moves by the least-squares fit of the aim's pattern.
    """
    from scipy.stats import t

    moved = np.zeros(len(pushes))
    for k, push in enumerate(pushes):
        pushed = np.isin(np.arange(len(axes)), push.units)
        pattern = np.where(pushed == own, axes @ push.aim if len(push.aim) else 1.0, 0.0)
        value = change @ pattern / max(pattern @ pattern, 1e-12)
        moved[k] = value[group == k].mean() - value[group < 0].mean()
    error = max(float(moved.std(ddof=1)) / np.sqrt(len(moved)), 1e-12)
    return Shift(float(moved.mean()), float(t.sf(moved.mean() / error, len(moved) - 1)), moved)


def swayed(
    change: np.ndarray, group: np.ndarray, pushes: Sequence[Push], axes: np.ndarray, moved: float,
    n_resamples: int, rng: np.random.Generator,
) -> float:  # fmt: skip
    """p that pushes of different groups leave the others alike, but for what all of them moved along their aims.

    The state is read from the units that were not pushed. By permutation of pulsed trials among groups.
    """
    pulsed = np.flatnonzero(group >= 0)
    labels, state = group[pulsed], np.empty((len(pulsed), axes.shape[1]))
    for k, push in enumerate(pushes):
        others = np.setdiff1d(np.arange(len(axes)), push.units)
        read = change[np.ix_(pulsed[labels == k], others)] @ np.linalg.pinv(axes[others]).T
        state[labels == k] = read - moved * push.aim

    def between(given: np.ndarray) -> float:
        means = np.stack([state[given == k].mean(axis=0) for k in np.unique(given)])
        return float(((means - state.mean(axis=0)) ** 2).sum())

    null = np.array([between(rng.permutation(labels)) for _ in range(n_resamples)])
    return float((1 + (null >= between(labels)).sum()) / (1 + n_resamples))


def stirred(
    change: np.ndarray, group: np.ndarray, pushes: Sequence[Push], n_resamples: int, rng: np.random.Generator
) -> float:
    """p that pushes change (trial, unit) in no unit but those that they hit, by permutation of trials.

    Pushes whose aims lie in one half of the space are taken together; units of all of them are left out, and the
    squared t of the others against controls are summed.
    """
    side = np.array([0 if not len(push.aim) or push.aim[0] >= 0 else 1 for push in pushes])
    which = np.where(group < 0, -1, side[group])
    masks = np.ones((len(group), change.shape[1]), dtype=bool)
    for trial, k in enumerate(group):
        if k >= 0:
            masks[trial, list(pushes[k].units)] = False
    spread = np.maximum(change.std(axis=0), 1e-9)
    scaled = (change - change.mean(axis=0)) / spread

    def total(labels: np.ndarray) -> float:
        free, found = labels < 0, 0.0
        for half in np.unique(which[which >= 0]):
            chosen = (labels == half)[:, None] & masks
            n = np.maximum(chosen.sum(axis=0), 1)
            mean = np.where(chosen, scaled, 0.0).sum(axis=0) / n - scaled[free].mean(axis=0)
            found += float((mean**2 / (1 / n + 1 / free.sum())).sum())
        return found

    scaled = np.where(masks, scaled, 0.0)  # what a pulse did to those that it hit is no stir
    null = np.array([total(rng.permutation(which)) for _ in range(n_resamples)])
    return float((1 + (null >= total(which)).sum()) / (1 + n_resamples))
