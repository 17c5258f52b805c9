"""Sealed recordings: one plain file, a line of JSON and then raw arrays, that any language reads in a few lines.

The first line is a JSON object padded with spaces (fields: docs/protocol.md). The arrays follow it, little-endian and
row-major (the last dim varies fastest), each at its `offset` in bytes from the first byte after that line.
"""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import xarray as xr

from simlab.contracts import SimlabError
from simlab.data import RECORDING, bare, check_recording, from_json, recording, to_json

FORMAT = "simlab-recording"
VERSION = 2
DTYPES = {"uint8": "|u1", "int32": "<i4", "int64": "<i8", "float32": "<f4", "float64": "<f8"}
"""The five number types of the format, and what numpy calls them."""

NAMES = {"feature": "features", "factor": "factors"}
"""Coordinates of names, and the header's fields for them."""

TOLD = ("resolution", "conditions", "unread", "brief")
"""Attributes that are fields of the header."""

ALIGNMENT = 64
"""Arrays and the data start lie on multiples of this many bytes, so that the file can be memory-mapped."""


def seal(dataset: xr.Dataset, path: str | Path) -> Path:
    """Writes a Recording's whitelisted content to `path`; returns the path.

    Raises SimlabError unless `dataset` is a Recording.
    """
    check_recording(dataset)
    path = Path(path)
    with path.open("wb") as file:
        _write(dataset, file)
    return path


def seal_into(dataset: xr.Dataset, folder: str | Path) -> Path:
    """Writes a Recording into a new file of a folder, under a name that nobody can guess; returns its absolute path.

    A file, link or pipe that is already there is never opened, whoever put it there. Raises SimlabError unless
    `dataset` is a Recording.
    """
    check_recording(dataset)
    path = Path(folder).absolute() / f"{secrets.token_hex(16)}.sealed"
    new = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    with os.fdopen(os.open(path, new, 0o400), "wb") as file:
        _write(dataset, file)
    return path


def _write(dataset: xr.Dataset, file: BinaryIO) -> None:
    content = bare(dataset)
    arrays = {name: _plain(content[name].values) for name in _sealed_names(content)}
    line = json.dumps(_header(content) | {"variables": _variables(content, arrays)}, allow_nan=False)
    line += " " * (-(len(line.encode()) + 1) % ALIGNMENT) + "\n"
    file.write(line.encode())
    for array in arrays.values():
        file.write(array.reshape(-1).view(np.uint8).data)
        file.write(b"\0" * (-array.nbytes % ALIGNMENT))


def _variables(content: xr.Dataset, arrays: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    """What the header says of each array, in the order in which they follow it."""
    found, offset = [], 0
    for name, array in arrays.items():
        found.append(
            {
                "name": name,
                "dtype": array.dtype.name,
                "dims": list(content[name].dims),
                "shape": list(array.shape),
                "offset": offset,
                "bytes": array.nbytes,
                "units": str(content[name].attrs.get("units", "")),
            }
        )
        offset += array.nbytes + -array.nbytes % ALIGNMENT
    return found


def unseal(path: str | Path) -> xr.Dataset:
    """The Recording that `seal` wrote; raises SimlabError where the file is not one or is damaged."""
    path = Path(path)
    with path.open("rb") as file:
        header = _read_header(file.readline(), path)
        data = file.read()
    arrays: dict[str, Any] = {v["name"]: _read_array(v, data, path) for v in header["variables"]}
    signal = next(
        ({"over": v["dims"][2], "signal_units": v["units"]} for v in header["variables"] if _is_signal(v)), {}
    )
    spikes = None
    if "spike_time" in arrays:
        spikes = (arrays.pop("spike_trial"), arrays.pop("spike_time"), arrays.pop("spike_unit"))
    result = recording(
        duration=header["duration"],
        n_units=header["n_units"],
        n_trials=header["n_trials"],
        spikes=spikes,
        time=arrays.pop("time", None),
        modality=header["modality"] or "",
        **signal,
        **arrays,
    )
    for name, field in NAMES.items():
        if header[field] is not None:
            result = result.assign_coords({name: np.array(header[field], dtype=object)})
    return result.assign_attrs({name: from_json(header[name]) for name in TOLD if header[name] is not None})


def _is_signal(variable: dict[str, Any]) -> bool:
    return bool(variable["name"] == "signal")


def _sealed_names(content: xr.Dataset) -> list[str]:
    return [name for name in (*RECORDING, "time") if name in content.variables]


def _header(content: xr.Dataset) -> dict[str, Any]:
    names = {field: content[name].values.tolist() if name in content.coords else None for name, field in NAMES.items()}
    told = {name: to_json(content.attrs[name]) if name in content.attrs else None for name in TOLD}
    return {
        "format": FORMAT,
        "version": VERSION,
        "byte_order": "little",
        "duration": float(content.attrs["duration"]),
        "n_trials": int(content.sizes["trial"]),
        "n_units": int(content.sizes["unit"]),
        "modality": content["signal"].attrs["modality"] if "signal" in content else None,
        **names,
        **told,
    }


def _plain(values: np.ndarray) -> np.ndarray:
    """The same numbers in one of the format's five types, little-endian and row-major."""
    kind, size = values.dtype.kind, values.dtype.itemsize
    if kind == "b" or (kind == "u" and size == 1):
        name = "uint8"
    elif kind in "iu":
        name = "int32" if size < 4 or (kind == "i" and size == 4) else "int64"
    else:
        name = "float32" if size <= 4 else "float64"
    return np.ascontiguousarray(values, dtype=DTYPES[name])


def _read_header(line: bytes, path: Path) -> dict[str, Any]:
    try:
        header = json.loads(line)
    except ValueError as error:
        raise SimlabError(f"{path} is no sealed recording: its first line is no JSON ({error})") from error
    if not isinstance(header, dict) or header.get("format") != FORMAT or header.get("version") != VERSION:
        raise SimlabError(f"{path} is no sealed recording of version {VERSION}: its first line says {line[:80]!r}")
    return header


def _read_array(variable: dict[str, Any], data: bytes, path: Path) -> np.ndarray:
    dtype, start, shape = DTYPES[variable["dtype"]], variable["offset"], variable["shape"]
    count = int(np.prod(shape))
    if start + count * np.dtype(dtype).itemsize > len(data):
        raise SimlabError(f"{path} is damaged: it ends before the end of {variable['name']}; seal it again")
    return np.frombuffer(data, dtype, count, start).reshape(shape).copy()
