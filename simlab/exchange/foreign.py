"""What readers of files that simlab did not write share: codes for conditions, spikes in trials, a word on the rest."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import xarray as xr

from simlab.contracts import SimlabError
from simlab.exchange.timeline import Timeline

SpikeTable = tuple[np.ndarray, np.ndarray, np.ndarray]


@contextmanager
def refusing_damage(source: str, kind: str) -> Iterator[None]:
    """Whatever other libraries raise over a damaged file or an odd object, as a SimlabError.

    kind: what `source` must be: "an NWB file that pynwb can read".
    """
    try:
        yield
    except (SimlabError, Warning, MemoryError, ImportError):
        raise
    except Exception as problem:  # of a library, over contents that nobody foresaw: there is no end of kinds
        said = str(problem.args[-1] if problem.args else problem)
        said = said if len(said) < 300 else f"{said[:300]} ..."
        raise SimlabError(
            f"{source} must be {kind}, got {type(problem).__name__}: {said}: mend it, or write it anew"
        ) from problem


def numbers(values: Any, what: str) -> np.ndarray:
    """Values as floats; raises SimlabError for text and whatever else is no number."""
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        got = repr(array.ravel()[0])[:60] if array.size else "nothing"
        raise SimlabError(f"{what} must hold numbers, got {got} of dtype {array.dtype}: mend or remove it")
    return array.astype(float)


def is_outcome(values: np.ndarray) -> bool:
    """Whether a table's column says how well each trial went in our sense: numbers from 0 to 1, none missing."""
    return values.size > 0 and values.dtype.kind in "biuf" and bool(((values >= 0) & (values <= 1)).all())


def tell(recording: xr.Dataset, unread: Iterable[str], source: str) -> xr.Dataset:
    """The recording with `unread` in its attributes; what is new is told in one UserWarning."""
    new = tuple(dict.fromkeys(unread))
    if not new:
        return recording
    warnings.warn(f"{source} holds what was not used: " + "; ".join(new), UserWarning, stacklevel=3)
    return recording.assign_attrs(unread=(*recording.attrs.get("unread", ()), *new))


def coded(values: Sequence[Any] | np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Conditions as numbers (trial,): whole numbers of 32 bits as they are; all else by its sorted names."""
    array = np.asarray(values)
    whole = array.dtype.kind in "iu" or (array.dtype.kind == "f" and np.array_equal(array, np.round(array)))
    if whole and (np.abs(array.astype(float)) < 2**31).all():
        return array.astype(np.int32), ()
    names, codes = np.unique([str(value) for value in array.tolist()], return_inverse=True)
    return codes.astype(np.int32), tuple(names.tolist())


def labels_of(names: Sequence[Any]) -> np.ndarray | None:
    """Names as labels; None unless each is there and is another."""
    texts = [str(name) for name in names]
    return np.array(texts, dtype=object) if all(texts) and len(set(texts)) == len(texts) else None


def spike_table(trains: Sequence[np.ndarray], line: Timeline) -> tuple[SpikeTable, list[str]]:
    """Columns trial, time [s], unit of each unit's session times [s]; and a word on those that were left out.

    Raises SimlabError where there are spikes but none in a trial: a file that means nothing by its times.
    """
    unit = np.repeat(np.arange(len(trains)), [len(train) for train in trains])
    when = np.concatenate([np.zeros(0), *trains]).astype(float)
    finite = np.isfinite(when)
    trial, time, inside = line.to_trials(when[finite])
    if len(when) and not inside.any():
        seen = f"{when[finite].min():g} to {when[finite].max():g} s" if finite.any() else "no finite time"
        raise SimlabError(
            f"spikes must lie in trials, got none of the {len(when)} spikes there: they are at {seen}, and trials from "
            f"{line.onset[0]:g} to {line.onset[-1] + line.duration[-1]:g} s: put both on one clock, in seconds"
        )
    told = []
    if lost := int((~finite).sum()):
        told.append(f"{lost} of {len(when)} spikes without a finite time")
    if lost := int((~inside).sum()):
        told.append(f"{lost} of {len(when)} spikes outside trials")
    return (trial[inside], time[inside], unit[finite][inside]), told


def refuse_contacts(held: bool, what: str) -> None:
    """Raises SimlabError where a recording that is to be written holds `contacts`, which the format cannot carry."""
    if held:
        raise SimlabError(
            f"{what} has no place for the contacts of a connectome: write a .zarr folder, or an .npz file with "
            "simlab.exchange.arrays.to_npz"
        )
