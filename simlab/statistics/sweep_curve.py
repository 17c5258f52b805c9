"""Curves over anything that varies in a run: recovery, false recovery or a metric, like with like, in numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from simlab.contracts import SimlabError
from simlab.statistics.comparison import separation
from simlab.statistics.matching import settings_of
from simlab.statistics.measured import NAN, Measured, mean, rate
from simlab.statistics.ranking import leaderboard
from simlab.statistics.sweep_cells import alike, of_methods, of_question, swept_cells
from simlab.statistics.sweeps import label_of
from simlab.statistics.verdicts import BLIND, stand_in, subject_of, tally

if TYPE_CHECKING:
    import pandas as pd

RATES = {"recovery": "recovered", "false_recovery": "false_recovery", "abstention": "abstained"}
"""Measures that are rates, and the column that each is the rate of."""

ROLES = {"false_recovery": ("rival",), "separation": ("circuit", "rival")}
"""Whose cells a measure is of; any other is of circuits'."""


def sweep_curve(
    table: pd.DataFrame,
    over: str,
    measure: str = "recovery",
    question: str | None = None,
    methods: Sequence[str] | None = None,
    board: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """A measure against anything that varies, for each question and method: one row per point, best method first.

    over: a name of `simlab.statistics.sweeps.varying`. measure: `recovery`, `false_recovery` (of rivals),
    `abstention`, `separation` or a metric. A rival stands where the circuit that it imitates stands. Each line is over
    those settings (circuit, plan, instrument, stimulator, budget, subject) that met the widest same set of values;
    a method's other parameters tell lines apart. An amount that an instrument drew anew in each subject is pooled into
    classes, and there subjects differ from class to class.

    board: the leaderboard, if it is there already.

    Columns: question, method_label (the line), `over`; the measure with its 95% interval (`_low`, `_high`; subjects
    are counted; NaN where there is none); n (cells that count), n_subjects; asked, answered, abstained (cells, counted
    apart); chance (of recovery: the better blind baseline's, of false recovery: random answers', of separation: 0, of
    a metric: the analytic one) and ceiling (the same method, perfect instrument, ample data; of circuits only).
    `attrs`: `label` of the axis, and `cells`, which says what is pooled and what was left out.
    Raises SimlabError, naming what there is, for an unknown sweep, measure, question or method.
    """
    import pandas as pd

    swept = swept_cells(table, over)
    chosen = of_question(swept.cells, question)
    _check_measure(chosen, measure)
    cells = chosen[chosen["role"].isin(ROLES.get(measure, ("circuit",)))]
    if cells.empty and measure == "false_recovery":
        raise SimlabError("this run has no rivals, which are what may fool a method: name them in a grid, rivals=(...)")
    kept, sentence = alike(of_methods(cells[~stand_in(cells)], methods), swept)
    board = leaderboard(chosen) if board is None else board
    ranks = {label: rank for rank, label in enumerate(dict.fromkeys(board["method_label"]))}
    rows = []
    for at, point in _points(kept, over, ranks, chosen["_x"]):
        rows.append(at | _figure(point, measure) | _levels(point, measure, chosen))
    columns = ["question", "method_label", over, measure, f"{measure}_low", f"{measure}_high", "n", "n_subjects",
               "asked", "answered", "abstained", "chance", "ceiling"]  # fmt: skip
    found = pd.DataFrame(rows, columns=columns)
    found.attrs = {"label": label_of(over), "cells": sentence}
    return found


def _check_measure(cells: pd.DataFrame, measure: str) -> None:
    metrics = [str(name)[7:] for name in cells.columns if str(name).startswith("chance_")]
    there = [*RATES, "separation", *metrics]
    if measure not in there and (measure not in cells or cells[measure].dtype.kind not in "fi"):
        close = get_close_matches(str(measure), there, n=1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise SimlabError(f"no measure {measure!r}: {hint}there are {', '.join(there)}")


def _points(
    kept: pd.DataFrame, over: str, ranks: dict[str, int], everywhere: pd.Series
) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    """The cells of each point: questions in order, then lines by their methods' rank, then along the sweep."""
    order = {x: i for i, x in enumerate(dict.fromkeys(everywhere.dropna()))}
    ranked = kept.assign(_rank=kept["method_label"].map(ranks))
    for question, asked in ranked.groupby("question"):
        for line in asked.groupby("_line")["_rank"].min().sort_values(kind="stable").index:
            own = asked[asked["_line"] == line]
            for x in sorted(set(own["_x"]), key=lambda x: x if isinstance(x, float) else order.get(x, 0)):
                yield {"question": question, "method_label": line, over: x}, own[own["_x"] == x]


def _figure(cells: pd.DataFrame, measure: str) -> dict[str, Any]:
    found = _measured(cells, measure)
    verdict = measure if measure in cells else "recovered"
    return {
        measure: found.value,
        f"{measure}_low": found.low,
        f"{measure}_high": found.high,
        "n": found.n,
        "n_subjects": subject_of(cells).nunique(),
        **tally(cells, verdict),
    }


def _measured(cells: pd.DataFrame, measure: str) -> Measured:
    if measure == "separation":
        return separation(cells)
    return rate(cells, RATES[measure]) if measure in RATES else mean(cells, measure)


def _levels(cells: pd.DataFrame, measure: str, chosen: pd.DataFrame) -> dict[str, float]:
    """Chance in the settings of these cells, and the ceiling of their methods on their circuits."""
    asked = chosen[chosen["question"] == cells["question"].iloc[0]]
    ample = asked[(asked["role"] == "ceiling") & asked["method_label"].isin(cells["method_label"])]
    ample = ample[ample["circuit_label"].isin(cells["circuit_label"])]
    told = measure not in ROLES and len(ample)
    return {"chance": _chance(cells, measure, asked), "ceiling": _measured(ample, measure).value if told else NAN}


def _chance(cells: pd.DataFrame, measure: str, asked: pd.DataFrame) -> float:
    if measure not in ("recovery", "false_recovery"):
        analytic = f"chance_{measure}"
        return 0.0 if measure == "separation" else float(cells[analytic].mean()) if analytic in cells else NAN
    blind = asked[asked["method"].isin(BLIND if measure == "recovery" else BLIND[:1])]
    there = set(settings_of(cells))
    rates = []
    for _, own in blind.groupby("method"):
        rates.append(_measured(own[[setting in there for setting in settings_of(own)]], measure).value)
    return max((rate for rate in rates if rate == rate), default=NAN)
