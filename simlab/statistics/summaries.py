"""What a results table says: recovery with its interval, false recovery, abstention, chance, ceiling, calibration.

The table has one row per cell. Roles: "circuit" cells give recovery, "rival" cells false recovery, and "ceiling"
cells what the same method does with the perfect instrument and ample data. What a cell counts as is decided in
`simlab.statistics.verdicts`. Whether groups may be compared is the caller's affair: `leaderboard` sees to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from simlab.contracts import SimlabError
from simlab.statistics.comparison import separation
from simlab.statistics.confidence import calibration
from simlab.statistics.intervals import mean_interval
from simlab.statistics.measured import share
from simlab.statistics.verdicts import (
    BLIND,
    abstained,
    answered,
    counted,
    error,
    fooled,
    over_budget,
    recovered,
    subject_of,
    tally,
)

if TYPE_CHECKING:
    import pandas as pd

CEILING_KEYS = ("experiment", "question", "circuit", "circuit_label", "method", "method_label", "kind")
"""What a cell has in common with its ceiling, besides `circuit.*` and `method.*`; instrument and amount differ."""

NAN = float("nan")


def headline_of(question: str) -> str:
    """The metric that stands for a question on a leaderboard: `recovered` for one that is not registered here.

    A run that was made elsewhere, by a notebook's own question, must still be readable.
    """
    from simlab.registry import get, names

    return get("questions", question).headline if question in names("questions") else "recovered"


def _groups(table: pd.DataFrame, by: Sequence[str]) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    if missing := [column for column in by if column not in table.columns]:
        raise SimlabError(f"the results have no column {', '.join(missing)}; they have {', '.join(table.columns)}")
    for values, group in table.groupby(list(by), sort=True, dropna=False):
        yield dict(zip(by, values, strict=True)), group


def summarise(table: pd.DataFrame, by: Sequence[str] = ("method_label",)) -> pd.DataFrame:
    """One row per group of cells that agree on `by` (to which `question` is always added).

    Columns, after those of `by`:
    - asked, answered, abstained: circuit cells in which the question was asked, was answered, was refused (the rest
      failed); recovery_of_answered and recovery_of_asked: the share of those, and of these, that was recovered
    - n (circuit cells), n_answers (those that count: answers and failures), n_subjects; recovery, the share of
      n_answers that was recovered, with `recovery_low`, `recovery_high` (Wilson 95%, widened where subjects gave
      several cells); abstention, error_rate, over_budget (of circuit cells)
    - false_recovery with its interval, n_rival, n_rival_answers (those that count), rival_abstention,
      rival_error_rate, rival_over_budget (of rival cells); failures are left out of false_recovery, and
      false_recovery_least and false_recovery_most are what it would be were they all not fooled, or all fooled
    - separation with its interval: recovery minus false recovery, abstentions as 0 (Youden's J; NaN without rivals)
    - metric (the headline's name), value with its interval (over subjects' means), chance, blind (value of the better
      blind baseline), chance_recovery (its recovery)
    - ceiling, ceiling_recovery and ceiling_n (the same method on the same circuits, perfect instrument, ample data)
    - brier, calibration_error, n_confidence; trials, perturbations, seconds (spent, mean per cell), seconds_analysis
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
            | _separation(group)
            | _value(circuits, values["question"])
            | _lookup(blind, values)
            | _ceiling(ceilings[ceilings["circuit_label"].isin(circuits["circuit_label"])], values, keys)
            | calibration(group)
            | _cost(circuits if len(circuits) else rivals)
        )
    return pd.DataFrame(rows, columns=None if rows else keys)


def _recovery(cells: pd.DataFrame) -> dict[str, Any]:
    found, counts = share(recovered(cells), subject_of(cells)), tally(cells)
    hits = recovered(cells).sum()
    return counts | {
        "recovery_of_answered": hits / counts["answered"] if counts["answered"] else NAN,
        "recovery_of_asked": hits / counts["asked"] if counts["asked"] else NAN,
        "n": len(cells),
        "n_answers": int(answered(cells).sum()),
        "n_subjects": subject_of(cells).nunique(),
        "recovery": found.value,
        "recovery_low": found.low,
        "recovery_high": found.high,
        "abstention": _mean(abstained(cells)),
        "error_rate": _mean(error(cells)),
        "over_budget": _mean(over_budget(cells)),
    }


def _false_recovery(cells: pd.DataFrame) -> dict[str, Any]:
    found = share(fooled(cells), subject_of(cells))
    return {
        "false_recovery": found.value,
        "false_recovery_low": found.low,
        "false_recovery_high": found.high,
        "false_recovery_least": _mean(fooled(cells, failures=0.0)),
        "false_recovery_most": _mean(fooled(cells, failures=1.0)),
        "n_rival": len(cells),
        "n_rival_answers": found.n,
        "rival_abstention": _mean(abstained(cells)),
        "rival_error_rate": _mean(error(cells)),
        "rival_over_budget": _mean(over_budget(cells)),
    }


def _separation(cells: pd.DataFrame) -> dict[str, float]:
    found = separation(cells)
    return {"separation": found.value, "separation_low": found.low, "separation_high": found.high}


def _value(cells: pd.DataFrame, question: str) -> dict[str, Any]:
    metric = headline_of(question)
    empty = {"metric": metric, "value": NAN, "value_low": NAN, "value_high": NAN, "chance": NAN}
    if metric not in cells:
        return empty
    told = cells[counted(cells, metric).notna()]
    if told.empty:
        return empty
    low, high = mean_interval(told[metric].to_numpy(), subject_of(told).to_numpy())
    chance = told[f"chance_{metric}"].mean() if f"chance_{metric}" in told else NAN
    return empty | {"value": _mean(told[metric]), "value_low": low, "value_high": high, "chance": float(chance)}


def effective_chance(table: pd.DataFrame, by: Sequence[str] = ()) -> pd.DataFrame:
    """What is had without looking at interactions: the better of the blind baselines, `random` and `marginals_only`.

    One row per group of `by` and `question`: blind (headline metric), chance_recovery (recovery rate).
    """
    import pandas as pd

    keys = list(dict.fromkeys(["question", *by]))
    cells = table[table["method"].isin(BLIND) & (table["role"] == "circuit")]
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
