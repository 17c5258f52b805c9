"""A row of the ledger as SQLite gives it back, and the hash that it carries over all of its contents."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from simlab.store.columns import COLUMNS

Row = dict[str, Any]

SEAL = "sha256"
"""The column that holds the hash of all others."""


def sealed(row: Mapping[str, Any]) -> Row:
    """Every column of a row, its values as SQLite will return them, with the hash over the rest.

    Position and timings are covered too, though they may change or differ: a number that is shown is a number to trust.
    """
    whole = {name: _stored(row.get(name), kind) for name, kind in COLUMNS.items()}
    return whole | {SEAL: _hash(whole)}


def is_whole(row: Mapping[str, Any]) -> bool:
    """Whether a row that was read is the one that was written."""
    return row[SEAL] == _hash(row)


def named(values: Sequence[Any]) -> Row:
    """A row of values in the order of the columns."""
    return dict(zip(COLUMNS, values, strict=True))


def _hash(row: Mapping[str, Any]) -> str:
    contents = [row[name] for name in COLUMNS if name != SEAL]
    return hashlib.sha256(json.dumps(contents, default=repr).encode()).hexdigest()


def _stored(value: Any, kind: str) -> Any:
    """SQLite keeps NaN as NULL and -0.0 as 0.0, and no lone surrogate."""
    if value is None:
        return None
    if kind.startswith("TEXT"):
        return str(value).encode("utf-8", "replace").decode()
    number = float(value)
    if kind == "INTEGER":
        return int(value)
    return None if math.isnan(number) else number + 0.0
