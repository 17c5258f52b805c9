"""How well recordings of two circuits can be told apart: a classifier that saw the truth in training.

It bounds what a passive method could separate from below: what a classifier trained on simulations tells apart can be
told apart, so that a method that does worse missed something. Where the classifier is at chance, nobody has shown that
anything can be known; a better one may.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from simlab.contracts import SimlabError
from simlab.statistics.intervals import wilson

FEWEST = 10
"""Recordings of each circuit that a classifier needs to be trained and tested on."""

FOLDS = 5
TREES = 100


@dataclass(frozen=True)
class Separation:
    """What held-out recordings were taken for: `accuracy` of n recordings, half of each circuit.

    youden: share of the first circuit's recognised minus share of the second's taken for it, with a 95% interval
    (Wilson's of the accuracy, as half of the recordings are of each). tells: the statistics that differ most, by how
    many pooled standard deviations.
    """

    n: int
    accuracy: float
    youden: float
    youden_low: float
    youden_high: float
    tells: tuple[tuple[str, float], ...]


def separation(
    first: Sequence[Mapping[str, float]], second: Sequence[Mapping[str, float]], rng: np.random.Generator
) -> Separation:
    """From the statistics of recordings, one mapping per subject of either circuit, as many of one as of the other.

    Each recording is judged by classifiers that were trained on others (stratified folds): regularised logistic
    regression on the leading components, and trees; their probabilities are averaged.
    """
    if not len(first) == len(second) >= FEWEST:
        raise SimlabError(
            f"a bound needs {FEWEST} recordings of each circuit at least, as many of one as of the other, "
            f"got {len(first)} and {len(second)}: ask for more subjects"
        )
    table, names = _table([*first, *second])
    label = np.repeat([1, 0], len(first))
    said = _held_out(table, label, rng) > 0.5
    hits = int((said == label).sum())
    low, high = wilson(hits, len(label))
    return Separation(
        len(label), hits / len(label), 2 * hits / len(label) - 1, 2 * low - 1, 2 * high - 1, _tells(table, label, names)
    )


def _table(rows: Sequence[Mapping[str, float]]) -> tuple[np.ndarray, list[str]]:
    """(recording, statistic): those known of most recordings, gaps filled by the median, constants left out."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    table = np.array([[row.get(name, np.nan) for name in names] for row in rows], dtype=float)
    table[~np.isfinite(table)] = np.nan
    table = table[:, kept := np.isfinite(table).mean(axis=0) > 0.5]
    table = np.where(np.isfinite(table), table, np.nanmedian(table, axis=0))
    varying = table.std(axis=0) > 1e-12 * (1 + np.abs(table).max(axis=0))
    return table[:, varying], list(np.array(names, dtype=object)[kept][varying])


def _held_out(table: np.ndarray, label: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(recording,) the probability of the first circuit, by classifiers that did not see the recording."""
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    if table.shape[1] == 0:  # nothing varies: nothing can be told
        return rng.random(len(label))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=int(rng.integers(2**31)))
    return np.mean(
        [
            cross_val_predict(c, table, label, cv=folds, method="predict_proba")[:, 1]
            for c in _classifiers(len(label), rng)
        ],
        axis=0,
    )


def _classifiers(n: int, rng: np.random.Generator) -> list[Any]:
    from sklearn.decomposition import PCA
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import QuantileTransformer, StandardScaler

    seed = int(rng.integers(2**31))
    linear = make_pipeline(
        QuantileTransformer(
            n_quantiles=min(20, n * (FOLDS - 1) // FOLDS - 1), output_distribution="normal", random_state=seed
        ),
        StandardScaler(),
        PCA(0.95, svd_solver="full"),
        LogisticRegression(C=0.1, max_iter=1000),
    )
    return [linear, ExtraTreesClassifier(TREES, min_samples_leaf=2, random_state=seed)]


def _tells(table: np.ndarray, label: np.ndarray, names: Sequence[str], most: int = 5) -> tuple[tuple[str, float], ...]:
    first, second = table[label == 1], table[label == 0]
    spread = np.sqrt((first.var(axis=0, ddof=1) + second.var(axis=0, ddof=1)) / 2)
    apart = np.divide(first.mean(0) - second.mean(0), spread, out=np.zeros(len(spread)), where=spread > 0)
    best = np.argsort(-np.abs(apart), kind="stable")[:most]
    return tuple((str(names[k]), float(apart[k])) for k in best)
