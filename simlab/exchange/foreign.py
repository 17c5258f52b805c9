"""What readers of files that simlab did not write share: codes for conditions, spikes in trials, a word on the rest."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import xarray as xr

from simlab.exchange.timeline import Timeline

SpikeTable = tuple[np.ndarray, np.ndarray, np.ndarray]


def tell(recording: xr.Dataset, unread: Iterable[str], source: str) -> xr.Dataset:
    """The recording with `unread` in its attributes; what is new is told in one UserWarning."""
    new = tuple(dict.fromkeys(unread))
    if not new:
        return recording
    warnings.warn(f"{source} holds what was not used: " + "; ".join(new), UserWarning, stacklevel=3)
    return recording.assign_attrs(unread=(*recording.attrs.get("unread", ()), *new))


def coded(values: Sequence[Any] | np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Conditions as numbers (trial,): whole numbers as they are, with no names; all else by its sorted names."""
    array = np.asarray(values)
    if array.dtype.kind in "iu" or (array.dtype.kind == "f" and np.array_equal(array, np.round(array))):
        return array.astype(np.int32), ()
    names, codes = np.unique([str(value) for value in array.tolist()], return_inverse=True)
    return codes.astype(np.int32), tuple(names.tolist())


def labels_of(names: Sequence[Any]) -> np.ndarray | None:
    """Names as labels; None unless each is there and is another."""
    texts = [str(name) for name in names]
    return np.array(texts, dtype=object) if all(texts) and len(set(texts)) == len(texts) else None


def spike_table(trains: Sequence[np.ndarray], line: Timeline) -> tuple[SpikeTable, list[str]]:
    """Columns trial, time [s], unit of each unit's session times [s]; and a word on those that were left out."""
    unit = np.repeat(np.arange(len(trains)), [len(train) for train in trains])
    when = np.concatenate([np.zeros(0), *trains]).astype(float)
    finite = np.isfinite(when)
    trial, time, inside = line.to_trials(when[finite])
    told = []
    if lost := int((~finite).sum()):
        told.append(f"{lost} of {len(when)} spikes without a finite time")
    if lost := int((~inside).sum()):
        told.append(f"{lost} of {len(when)} spikes outside trials")
    return (trial[inside], time[inside], unit[finite][inside]), told
