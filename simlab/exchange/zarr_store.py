"""Labelled datasets in zarr folders: recordings, and the truths of generated data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from simlab.contracts import SimlabError
from simlab.data import bare, check_recording, from_json, to_json
from simlab.exchange.foreign import refusing_damage

SAID = ("units", "modality")
"""Attributes of a variable that are kept."""


def to_zarr(recording: xr.Dataset, path: Path | str) -> None:
    """Writes a Recording as a new zarr (version 3) group; raises SimlabError if something is there already."""
    refuse_existing(path)
    check_recording(recording)
    import zarr

    write_dataset(zarr.open_group(path, mode="w-", zarr_format=3), bare(recording, labels=True))


def from_zarr(path: Path | str) -> xr.Dataset:
    """The Recording that `to_zarr` wrote; raises SimlabError where the folder is damaged or another's."""
    with refusing_damage(str(path), "a zarr folder that simlab wrote"):
        result = read_dataset(open_group(path))
        check_recording(result)
    return result


def open_group(path: Path | str) -> Any:
    """A zarr group for reading; raises SimlabError if there is none."""
    if not Path(path).is_dir():
        raise SimlabError(f"there is no zarr folder at {path}: give the path of one that simlab wrote")
    import zarr

    return zarr.open_group(path, mode="r", zarr_format=3)


def refuse_existing(path: Path | str) -> None:
    """Raises SimlabError rather than overwrite."""
    if Path(path).exists():
        raise SimlabError(f"{path} is there already: name another file, or remove it first")


def write_dataset(group: Any, dataset: xr.Dataset) -> None:
    """Fills a zarr group: numbers as arrays with their dims, text in the group's attributes."""
    layout: dict[str, Any] = {}
    for name, variable in dataset.variables.items():
        values = np.asarray(variable.values)
        entry: dict[str, Any] = {"dims": list(variable.dims), "coordinate": name in dataset.coords}
        entry |= {name: str(variable.attrs[name]) for name in SAID if name in variable.attrs}
        if values.dtype.kind in "biuf":
            group.create_array(str(name), data=values, dimension_names=[str(d) for d in variable.dims])
        else:
            entry["text"] = np.asarray(values, dtype=str).tolist()
        layout[str(name)] = entry
    group.attrs.update(layout=layout, attrs=to_json(dataset.attrs))


def read_dataset(group: Any) -> xr.Dataset:
    """The dataset that `write_dataset` wrote."""
    variables: dict[str, Any] = {}
    coords: dict[str, Any] = {}
    for name, entry in group.attrs["layout"].items():
        values = np.array(entry["text"], dtype=object) if "text" in entry else np.asarray(group[name][...])
        attrs = {said: entry[said] for said in SAID if said in entry}
        (coords if entry["coordinate"] else variables)[name] = (entry["dims"], values, attrs)
    return xr.Dataset(variables, coords, from_json(group.attrs["attrs"]))
