"""Recordings of pictures in which every spike is planted: so many before each picture came, and so many after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from simlab.data import recording

CONCEPTS = tuple(f"concept {k:03d}" for k in range(4))
A, B, C, D = CONCEPTS
NONE = "none"
PICTURES, TIMES = 4, 3
"""Of each concept, and how often each is shown."""

ORDER = np.tile(np.arange(len(CONCEPTS) * PICTURES), TIMES)
"""(presentation,) the number of its picture."""
OF = np.repeat(CONCEPTS, PICTURES)
"""(picture,) its concept."""
BRIEF = {"concepts": (*CONCEPTS, NONE), "pictures": tuple(OF.tolist())}


def planted(
    after: np.ndarray,
    before: np.ndarray | None = None,
    order: np.ndarray = ORDER,
    brief: dict[str, Any] | None = None,
    pause: float = 1.0,
    length: np.ndarray | None = None,
) -> xr.Dataset:
    """Counts (presentation, unit) in the seven tenths of a second that count, before and after; pictures last 1 s.

    length: (presentation,) s of each trial, where they are cut short."""
    after = np.asarray(after, dtype=int)
    before = np.zeros_like(after) if before is None else np.asarray(before, dtype=int)
    columns = [_spread(after, pause + 0.35)] + ([_spread(before, 0.05)] if pause else [])
    trial, time, unit = (np.concatenate(part) for part in zip(*columns, strict=True))
    kept = time < (np.inf if length is None else length[trial])
    spikes = trial[kept], time[kept], unit[kept]
    steps = 2 if pause else 1
    values = np.repeat(np.asarray(order, dtype=float)[:, None, None], steps, axis=1)
    values[:, : steps - 1] = np.nan
    made = recording(
        duration=pause + 1.0 if length is None else length,
        n_units=after.shape[1], n_trials=len(after), spikes=spikes, stimulus=values,
        time=np.arange(steps) * 1.0, names={"feature": ("feature", np.array(["picture"]))},
    )  # fmt: skip
    return made.assign_attrs(brief=BRIEF if brief is None else brief)


def _spread(counts: np.ndarray, first: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Spikes (trial, time [s], unit) over .6 s from `first` on."""
    trial, unit = (np.repeat(index.ravel(), counts.ravel()) for index in np.indices(counts.shape))
    number = np.concatenate([np.arange(n) for n in counts.ravel()] or [np.zeros(0, int)])
    return trial, first + 0.6 * number / max(int(counts.max(initial=1)), 1), unit


def liking(*concepts: str, spikes: int = 6, order: np.ndarray = ORDER, of: Sequence[str] = OF) -> np.ndarray:
    """(presentation,) counts of a unit that fires for all pictures of these concepts and for no other."""
    return spikes * np.isin(np.asarray(of)[order], concepts).astype(int)


def now_and_then(units: int, presentations: int = len(ORDER)) -> np.ndarray:
    """(presentation, unit) a spike before every third picture: a baseline that varies, the same for all."""
    return np.repeat((np.arange(presentations) % 3 == 0)[:, None].astype(int), units, axis=1)
