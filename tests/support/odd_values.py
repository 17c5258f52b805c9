"""Values that a clumsy user gives: of the wrong type, impossible, or in the wrong unit."""

from __future__ import annotations

import numpy as np

NAN, INF = float("nan"), float("inf")

ODD = (
    None, True, "x", "", "20", b"x", NAN, INF, -INF, -1, 0, -1e-3, 0.5, 12, 1e9, 10**9, 10**400, 1e-300, 2.5, 1j, (),
    (1,), [], {}, object, np.nan, np.float64(-1), np.int8(3), np.zeros(3), np.array(1.0),
    (NAN, NAN), (-1, 2), ("x", "y"),
)  # fmt: skip
"""One of each sort."""


def shown(value: object) -> str:
    """The beginning of a value as a message shows it."""
    try:
        return repr(value)[:60].split("\n")[0]
    except ValueError:  # more digits than Python writes
        return "cannot be shown"
