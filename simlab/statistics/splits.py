"""Answers about wiring split by what an edge is like: how strong, how far apart, of which sign."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from simlab.contracts import SimlabError
from simlab.questions.form import pairs
from simlab.statistics.intervals import clustered_wilson

if TYPE_CHECKING:
    import pandas as pd

Answer = tuple[Mapping[str, Any], Mapping[str, Any], xr.Dataset]
"""Line of the table, estimate and projected truth of one cell."""

OVER = ("weight", "distance", "sign")


def wiring_split(answers: Iterable[Answer], over: str = "weight", bins: int = 10) -> pd.DataFrame:
    """Recall of edges and, over distance, false positives, in `bins` quantiles of all edges of a method's cells.

    over: `weight` (its absolute value: deciles, weakest first), `distance` [m] of the two units (where the circuit
    tells where neurons lie) or `sign`. One line per method and bin: `low` and `high` ends of the bin, `n_edges`,
    `recall` with its interval over subjects, `n_others` and `false_positive_rate` (of unconnected pairs in the bin;
    NaN over weight and sign, which these do not have).
    """
    import pandas as pd

    if over not in OVER:
        raise SimlabError(f"a split is over {', '.join(OVER)}, got {over!r}: name one of them")
    if bins < 2:
        raise SimlabError(f"bins must be >= 2, got {bins}: give 10 for deciles")
    by_method: dict[str, list[tuple[np.ndarray, ...]]] = {}
    for number, (line, estimate, truth) in enumerate(answers):
        if line["kind"] != "baseline" and (over != "distance" or "distance" in truth):
            subject = (line.get("circuit_label"), line.get("subject", number))
            by_method.setdefault(str(line["method_label"]), []).append(_pairs(estimate, truth, over, str(subject)))
    found = [line for method, cells in sorted(by_method.items()) for line in _lines(method, cells, over, bins)]
    columns = ["method_label", "low", "high", "n_edges", "recall", "recall_low", "recall_high", "n_others"]
    return pd.DataFrame(found, columns=[*columns, "false_positive_rate"])


def _pairs(estimate: Mapping[str, Any], truth: xr.Dataset, over: str, subject: str) -> tuple[np.ndarray, ...]:
    """Value, whether an edge, whether decided, subject: each over the pairs that are asked about."""
    asked = pairs(truth.sizes["pre"]) & ~truth["ambiguous"].values
    value = np.abs(truth["weight"].values) if over == "weight" else truth[over].values
    edge, decided = truth["edge"].values[asked], np.asarray(estimate["decided"], dtype=bool)[asked]
    return value[asked].astype(float), edge, decided, np.full(len(edge), subject, dtype=object)


def _lines(method: str, cells: list[tuple[np.ndarray, ...]], over: str, bins: int) -> Iterator[tuple[Any, ...]]:
    value, edge, decided, subject = (np.concatenate(part) for part in zip(*cells, strict=True))
    if not edge.any():
        return
    ends = np.array([-1.0, 0.0, 1.0]) if over == "sign" else np.quantile(value[edge], np.linspace(0, 1, bins + 1))
    for first, (low, high) in enumerate(itertools.pairwise(ends)):
        within = (value >= low if first == 0 else value > low) & (value <= high)
        these, others = within & edge, within & ~edge
        if not these.any():
            continue
        interval = clustered_wilson(decided[these].astype(float), subject[these])
        false = float(decided[others].mean()) if over == "distance" and others.any() else float("nan")
        yield (method, low, high, int(these.sum()), float(decided[these].mean()), *interval, int(others.sum()), false)
