"""Ledger rows as a pandas table: metrics and chance levels in columns of their own, and parameters where they vary."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from simlab.store.columns import COLUMNS, KEPT_APART

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]


def table(rows: list[Row]) -> pd.DataFrame:
    """One line for each row, in their order."""
    import pandas as pd

    spread = []
    for row in rows:
        metrics, chance = json.loads(row["metrics"] or "{}"), json.loads(row["chance"] or "{}")
        flat = {k: v for k, v in row.items() if k not in (*KEPT_APART, "metrics", "chance", "truth", "unit_key")}
        flat = {k: v for k, v in flat.items() if not k.endswith("_parameters") and k != "drawn"}
        flat["stated_rate"] = _stated_rate(row)
        flat |= {k: np.nan if v is None else v for k, v in metrics.items()}
        flat |= {f"chance_{k}": np.nan if v is None else v for k, v in chance.items()}
        spread.append(flat)
    frame = pd.DataFrame(spread, columns=None if spread else [c for c in COLUMNS if c not in KEPT_APART])
    for column in ("recovered", "false_recovery", "confidence"):
        frame[column] = frame[column].astype(float)
    return pd.concat([frame, _varying_parameters(rows), _drawn_parameters(rows)], axis=1)


def _stated_rate(row: Row) -> float:
    """The rate of false claims that the cell's method promises, its `alpha`; NaN where it has none."""
    alpha = json.loads(row.get("method_parameters") or "{}").get("alpha")
    return float(alpha) if isinstance(alpha, int | float) and not isinstance(alpha, bool) else np.nan


def _varying_parameters(rows: list[Row]) -> pd.DataFrame:
    """The parameters `circuit.n_neurons`, `instrument.n_units` ... that take several values in circuits of one name."""
    import pandas as pd

    columns: dict[str, list[Any]] = {}
    for part in ("circuit", "instrument", "stimulator", "method"):
        parsed = [json.loads(row.get(f"{part}_parameters") or "{}") for row in rows]
        for name in dict.fromkeys(name for parameters in parsed for name in parameters):
            by_name: dict[str, set[str]] = {}
            for row, parameters in zip(rows, parsed, strict=True):
                if name in parameters:
                    by_name.setdefault(row[part], set()).add(json.dumps(parameters[name]))
            if any(len(seen) > 1 for seen in by_name.values()):
                values = [p.get(name) for p in parsed]
                columns[f"{part}.{name}"] = [v if not isinstance(v, dict | list) else json.dumps(v) for v in values]
    return pd.DataFrame(columns, index=range(len(rows)))


def _drawn_parameters(rows: list[Row]) -> pd.DataFrame:
    """The parameters `drawn.epsp_spread` ... that differ among the members of a family: numbers only."""
    import pandas as pd

    parsed = [json.loads(row.get("drawn") or "{}") for row in rows]
    columns = {}
    for name in dict.fromkeys(name for parameters in parsed for name in parameters):
        values = [p.get(name, np.nan) for p in parsed]
        numeric = all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
        if numeric and len({v for v in values if v == v}) > 1:
            columns[f"drawn.{name}"] = values
    return pd.DataFrame(columns, index=range(len(rows)))
