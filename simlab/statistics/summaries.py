"""What a results table says: recovery with its interval, false recovery, abstention, chance, ceiling, calibration.

The table has one row per cell. Roles: "circuit" cells give recovery, "rival" cells false recovery, and "ceiling"
cells what the same method does with the perfect instrument and ample data. An abstention is neither right nor
wrong and only counts in its own rate; an error or an exhausted budget is no recovery, and counts in its rate too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from simlab.contracts import SimlabError
from simlab.statistics.intervals import bootstrap, clustered_wilson, effective_number, wilson
from simlab.statistics.power import crossing, data_for_recovery, power_curve
from simlab.statistics.verdicts import answered, fooled, outcome, subject_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "answered", "bootstrap", "calibration", "clustered_wilson", "crossing", "data_for_recovery",
    "effective_chance", "effective_number", "fooled", "heatmap", "leaderboard", "outcome", "power_curve",
    "subject_of", "summarise", "wilson",
]  # fmt: skip

CEILING_KEYS = ("experiment", "question", "circuit", "circuit_label", "method", "method_label", "kind")
"""What a cell has in common with its ceiling, besides `circuit.*` and `method.*`; instrument and amount differ."""

NAN = float("nan")


def headline_of(question: str) -> str:
    """The metric that stands for a question on a leaderboard."""
    from simlab.registry import get

    return get("questions", question).headline


def _groups(table: pd.DataFrame, by: Sequence[str]) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    if missing := [column for column in by if column not in table.columns]:
        raise SimlabError(f"the results have no column {', '.join(missing)}; they have {', '.join(table.columns)}")
    for values, group in table.groupby(list(by), sort=True, dropna=False):
        yield dict(zip(by, values, strict=True)), group


def summarise(table: pd.DataFrame, by: Sequence[str] = ("method_label",)) -> pd.DataFrame:
    """One row per group of cells that agree on `by` (to which `question` is always added).

    Columns, after those of `by`: n (circuit cells), n_answers (those that count), n_subjects; recovery with
    `recovery_low`, `recovery_high` (Wilson 95%, widened where subjects gave several
    cells); abstention, error_rate, over_budget (of circuit cells); false_recovery with its interval, n_rival,
    rival_abstention (of rival cells); metric (the headline's name), value with its interval (bootstrap over
    subjects' means), chance, blind (value of the better blind baseline), chance_recovery (its recovery); ceiling,
    ceiling_recovery and ceiling_n (the same method and circuits, perfect instrument, ample data); brier,
    calibration_error, n_confidence; trials, perturbations, seconds (spent, mean per cell), seconds_analysis.
    NaN where there are no cells to tell. Groups that hold only ceiling cells are left out.
    """
    import pandas as pd

    keys = list(dict.fromkeys(["question", *by]))
    rows = []
    ceilings = table[table["role"] == "ceiling"]
    blind = effective_chance(table, [k for k in keys if not k.startswith("method") and k != "kind"])
    for values, group in _groups(table[table["role"] != "ceiling"], keys):
        circuits, rivals = (group[group["role"] == role] for role in ("circuit", "rival"))
        rows.append(
            values
            | _recovery(circuits)
            | _false_recovery(rivals)
            | _value(circuits, values["question"])
            | _lookup(blind, values)
            | _ceiling(ceilings, values, keys)
            | calibration(group)
            | _cost(circuits if len(circuits) else rivals)
        )
    return pd.DataFrame(rows, columns=None if rows else keys)


def _recovery(cells: pd.DataFrame) -> dict[str, Any]:
    counted = cells[answered(cells)]
    right = outcome(counted)
    low, high = clustered_wilson(right, subject_of(counted))
    return {
        "n": len(cells),
        "n_answers": len(counted),
        "n_subjects": subject_of(cells).nunique(),
        "recovery": _mean(right),
        "recovery_low": low,
        "recovery_high": high,
        "abstention": _mean(cells["status"] == "abstained"),
        "error_rate": _mean(cells["status"] == "error"),
        "over_budget": _mean(cells["status"] == "over_budget"),
    }


def _false_recovery(cells: pd.DataFrame) -> dict[str, Any]:
    counted = cells[cells["status"] != "abstained"]
    wrong = fooled(counted)
    low, high = clustered_wilson(wrong, subject_of(counted))
    return {
        "false_recovery": _mean(wrong),
        "false_recovery_low": low,
        "false_recovery_high": high,
        "n_rival": len(cells),
        "rival_abstention": _mean(cells["status"] == "abstained"),
    }


def _value(cells: pd.DataFrame, question: str) -> dict[str, Any]:
    metric = headline_of(question)
    empty = {"metric": metric, "value": NAN, "value_low": NAN, "value_high": NAN, "chance": NAN}
    if metric not in cells:
        return empty
    told = cells[(cells["status"] == "ok") & cells[metric].notna()]
    if told.empty:
        return empty
    low, high = bootstrap(told.groupby(subject_of(told))[metric].mean())
    chance = told[f"chance_{metric}"].mean() if f"chance_{metric}" in told else NAN
    return empty | {"value": _mean(told[metric]), "value_low": low, "value_high": high, "chance": float(chance)}


def effective_chance(table: pd.DataFrame, by: Sequence[str] = ()) -> pd.DataFrame:
    """What is had without looking at interactions: the better of the blind baselines, `random` and `marginals_only`.

    One row per group of `by` and `question`: blind (headline metric), chance_recovery (recovery rate).
    """
    import pandas as pd

    keys = list(dict.fromkeys(["question", *by]))
    cells = table[table["method"].isin(["baseline:random", "baseline:marginals_only"]) & (table["role"] == "circuit")]
    rows = []
    for values, group in _groups(cells, keys):
        per_baseline = [cells for _, cells in group.groupby("method")]
        value = [_value(cells, values["question"])["value"] for cells in per_baseline]
        recovery = [_recovery(cells)["recovery"] for cells in per_baseline]
        rows.append(values | {"blind": _best(value), "chance_recovery": _best(recovery)})
    return pd.DataFrame(rows, columns=[*keys, "blind", "chance_recovery"])


def _best(values: list[float]) -> float:
    known = [v for v in values if v == v]
    return max(known, default=NAN)


def _lookup(frame: pd.DataFrame, values: dict[str, Any]) -> dict[str, float]:
    shared = [column for column in frame.columns if column in values]
    match = frame[np.logical_and.reduce([_same(frame[column], values[column]) for column in shared])]
    found = match.iloc[0] if len(match) else {}
    return {name: float(found.get(name, NAN)) for name in ("blind", "chance_recovery")}


def _same(column: pd.Series, value: Any) -> np.ndarray:
    """Where a column holds this value; NaN is the same as NaN."""
    return (column.isna() if value != value else column == value).to_numpy()


def _ceiling(ceilings: pd.DataFrame, values: dict[str, Any], keys: list[str]) -> dict[str, Any]:
    """Of the cells with ample data that share circuit, method and question with this group."""
    shared = [k for k in keys if k in CEILING_KEYS or k.startswith(("circuit.", "method."))]
    cells = ceilings[np.logical_and.reduce([_same(ceilings[k], values[k]) for k in shared])]
    return {
        "ceiling": _value(cells, values["question"])["value"],
        "ceiling_recovery": _recovery(cells)["recovery"],
        "ceiling_n": len(cells),
    }


def calibration(table: pd.DataFrame, bins: int = 10) -> dict[str, Any]:
    """Whether stated confidences are earned: `brier`, `calibration_error` (expected) and `n_confidence`.

    Over answers of circuits (right: recovered) and rivals (right: no false recovery) that state a confidence.
    brier: mean squared difference of confidence and outcome, 0 the best, 0.25 what always saying 0.5 gets.
    calibration_error: mean over `bins` even bins of confidence, weighted by their number, of the distance between
    mean confidence and share right (Guo et al. 2017); it is above 0 by chance alone in small numbers.
    """
    rivals = (table["role"] == "rival").to_numpy()
    known = table["false_recovery"].where(rivals, table["recovered"]).notna().to_numpy()
    told = (table["status"] == "ok").to_numpy() & table["confidence"].notna().to_numpy() & known
    told &= (table["role"] != "ceiling").to_numpy()
    if not told.any():
        return {"brier": NAN, "calibration_error": NAN, "n_confidence": 0}
    right = np.where(rivals, 1 - fooled(table), outcome(table))[told]
    confidence = table["confidence"].to_numpy(dtype=float)[told]
    at = np.minimum((confidence * bins).astype(int), bins - 1)
    gap = np.bincount(at, weights=confidence - right, minlength=bins)
    return {
        "brier": float(np.mean((confidence - right) ** 2)),
        "calibration_error": float(np.abs(gap).sum() / len(right)),
        "n_confidence": int(told.sum()),
    }


def _cost(cells: pd.DataFrame) -> dict[str, float]:
    """Means per cell; a passive method, which states no expense, spends its plan."""
    plan = {"trials": cells["trials"], "perturbations": 0.0, "seconds": cells["trials"] * cells["duration"]}
    passive = cells["kind"] != "active"
    spent = {name: cells.get(f"spent_{name}", cells["trials"] * NAN) for name in plan}
    cost = {name: _mean(spent[name].mask(passive & spent[name].isna(), plan[name])) for name in plan}
    return cost | {"seconds_analysis": _mean(cells["seconds_analysis"]) if "seconds_analysis" in cells else NAN}


def _mean(values: Any) -> float:
    known = np.asarray(values, dtype=float)
    known = known[~np.isnan(known)]
    return float(known.mean()) if known.size else NAN


def leaderboard(table: pd.DataFrame) -> pd.DataFrame:
    """Each question's methods and baselines over all their cells, the best recovery first; `summarise`'s columns."""
    ranked = summarise(table, ["question", "method", "method_label", "kind"])
    if ranked.empty:
        return ranked
    order = ["question", "recovery", "value", "method_label"]
    return ranked.sort_values(order, ascending=[True, False, False, True], ignore_index=True)


def heatmap(table: pd.DataFrame, question: str, value: str = "recovery") -> pd.DataFrame:
    """`value` of each circuit (row) by each method (column) on one question: recovery, or any of `summarise`'s.

    Recovery is shown on every circuit, rivals among them, whose truth the question can be asked of.
    """
    cells = table[(table["question"] == question) & (table["role"] != "ceiling")]
    if value == "recovery":  # a rival's truth is a truth like any other where the question has an answer there
        cells = cells[cells["recovered"].notna() | (cells["role"] == "circuit")].assign(role="circuit")
    if cells.empty:
        raise SimlabError(f"no results on {question!r}; there are some on {', '.join(sorted(set(table['question'])))}")
    summary = summarise(cells, ["circuit_label", "method_label"])
    return summary.pivot(index="circuit_label", columns="method_label", values=value).dropna(how="all")
