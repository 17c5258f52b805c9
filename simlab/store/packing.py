"""Arrays, labelled datasets and findings as compressed bytes, and back: what the ledger keeps to score again."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from simlab.contracts import Finding
from simlab.text import plain_notes

HEADER = "header"


def pack(arrays: Mapping[str, np.ndarray], header: Any = None) -> bytes:
    """Named arrays and a JSON-ready header as compressed bytes; text arrays become fixed-width ones."""
    plain = {f"a:{name}": _storable(values) for name, values in arrays.items()}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **plain, **{HEADER: np.array(json.dumps(header))})  # type: ignore[arg-type]
    return buffer.getvalue()


def unpack(blob: bytes) -> tuple[dict[str, np.ndarray], Any]:
    """The arrays and the header that `pack` packed; never unpickles."""
    with np.load(io.BytesIO(blob), allow_pickle=False) as file:
        arrays = {name[2:]: file[name] for name in file.files if name.startswith("a:")}
        return arrays, json.loads(str(file[HEADER]))


def pack_dataset(dataset: xr.Dataset) -> bytes:
    """Variables and coordinates of a dataset with their dims and units; no other attributes."""
    names = {str(name): variable for name, variable in dataset.variables.items()}
    layout = {
        name: {
            "dims": list(v.dims),
            "coordinate": name in dataset.coords,
            "attrs": {k: a for k, a in v.attrs.items() if isinstance(a, str | int | float)},
        }
        for name, v in names.items()
    }
    return pack({name: v.values for name, v in names.items()}, layout)


def unpack_dataset(blob: bytes) -> xr.Dataset:
    """The dataset that `pack_dataset` packed."""
    arrays, layout = unpack(blob)
    variables: dict[str, Any] = {}
    coords: dict[str, Any] = {}
    for name, entry in layout.items():
        (coords if entry["coordinate"] else variables)[name] = (entry["dims"], _text(arrays[name]), entry["attrs"])
    return xr.Dataset(variables, coords)


def pack_finding(finding: Finding) -> bytes:
    """Estimate and confidence of a validated finding; notes as far as they are plain data."""
    arrays = {name: np.asarray(value) for name, value in finding.estimate.items()}
    return pack(arrays, {"confidence": finding.confidence, "notes": plain_notes(finding.notes)})


def unpack_finding(blob: bytes) -> Finding:
    """The finding that `pack_finding` packed."""
    arrays, header = unpack(blob)
    estimate = {n: str(v.item()) if v.dtype.kind == "U" and v.ndim == 0 else _text(v) for n, v in arrays.items()}
    return Finding(estimate, header["confidence"], "", header["notes"])


def digest(blob: bytes) -> str:
    """The name under which bytes are kept once, whoever refers to them."""
    return hashlib.sha256(blob).hexdigest()[:32]


def _storable(values: Any) -> np.ndarray:
    array = np.asarray(values)
    return array.astype(np.str_) if array.dtype.kind == "O" else array


def _text(values: np.ndarray) -> np.ndarray:
    return values.astype(object) if values.dtype.kind == "U" else values
