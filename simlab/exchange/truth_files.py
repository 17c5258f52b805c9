"""Truths of generated data in files of their own, as JSON or zarr."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from simlab.contracts import SimlabError
from simlab.exchange.zarr_store import open_group, read_dataset, write_dataset
from simlab.fingerprint import describe

TRUTH_FORMATS = (".json", ".zarr")


def write_truth(path: Path, origin: Mapping[str, Any], found: Mapping[str, xr.Dataset]) -> None:
    """Writes truths by name, and where they come from, as JSON or zarr."""
    if path.suffix == ".json":
        parts = {name: _to_json(dataset) for name, dataset in found.items()}
        path.write_text(json.dumps({"origin": origin, "truths": parts}, allow_nan=False))
        return
    import zarr

    group = zarr.open_group(path, mode="w-", zarr_format=3)
    group.attrs.update(origin=dict(origin), names=list(found))
    for name, dataset in found.items():
        write_dataset(group.create_group(name), dataset)


def read_truth(path: Path | str) -> tuple[dict[str, Any], dict[str, xr.Dataset]]:
    """The origin (circuit, instrument, seed) and the truths by name that `generate` wrote."""
    path = Path(path)
    if path.suffix != ".json":
        group = open_group(path)
        return dict(group.attrs["origin"]), {name: read_dataset(group[name]) for name in group.attrs["names"]}
    if not path.is_file():
        raise SimlabError(f"there is no file {path}: give the path of a truth file")
    whole = json.loads(path.read_text())
    return whole["origin"], {name: _from_json(part) for name, part in whole["truths"].items()}


def _to_json(dataset: xr.Dataset) -> dict[str, Any]:
    def entry(name: Any) -> dict[str, Any]:
        values = dataset[name].values
        plain = values.astype(object)
        if values.dtype.kind == "f":
            plain[~np.isfinite(values)] = None
        units = dataset[name].attrs.get("units", "")
        return {"dims": list(dataset[name].dims), "values": plain.tolist(), "units": units}

    return {
        "variables": {str(name): entry(name) for name in dataset.data_vars},
        "coordinates": {str(name): entry(name) for name in dataset.coords},
        "attrs": {str(k): describe(v) for k, v in dataset.attrs.items()},
    }


def _from_json(part: Mapping[str, Any]) -> xr.Dataset:
    def entry(plain: Mapping[str, Any]) -> tuple[list[str], np.ndarray, dict[str, str]]:
        values = np.array(plain["values"])
        if values.dtype == object:
            values = values.astype(float)
        return plain["dims"], values, {"units": plain["units"]} if plain["units"] else {}

    variables, coords = ({k: entry(v) for k, v in part[kind].items()} for kind in ("variables", "coordinates"))
    return xr.Dataset(variables, coords, part["attrs"])
