"""How often two units' words meet, counted row by row."""

from __future__ import annotations

import numpy as np

from methods.wiring._lagged_kernel import compiled


@compiled
def count_meetings(
    place: np.ndarray, first: np.ndarray, driver: np.ndarray, target: np.ndarray, counts: np.ndarray
) -> None:
    """Adds to `counts` (source, target, source's word, target's word) the rows `place` of each source.

    place: rows of all sources, those of source s from first[s] to first[s + 1]. driver, target: words (unit, row).
    """
    n_sources, n_targets = counts.shape[:2]
    for s in range(n_sources):
        rows = place[first[s] : first[s + 1]]
        for t in range(n_targets):
            table = counts[s, t]
            for row in rows:
                table[driver[s, row], target[t, row]] += 1
