"""The archive: simulated activity on disk, named by a hash of all that it depends on.

One zarr group per entry, written beside its place and moved there by an atomic rename, so that processes can
share an archive without locks and a killed one leaves no half entry under a valid name. Every entry carries the
hash of its own contents: a damaged one is detected on reading, removed, and simulated again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from simlab.caches import cache_folder
from simlab.contracts import HouseFault, SimlabError
from simlab.litter import purge_builds, room, sweep

COMPRESS_ABOVE = 1 << 16
"""Arrays of more bytes than this are compressed."""

INLINE_BELOW = 2048
"""Whole-number arrays of at most this many elements are kept in the metadata."""


class ArchiveError(HouseFault):
    """The archive cannot be written."""


class Archive:
    """A folder of activities; `root=None` keeps nothing and simulates always."""

    def __init__(self, root: Path | str | None) -> None:
        self.root = None if root is None else Path(root)
        self.hits = 0
        self.misses = 0

    def path(self, name: str) -> Path:
        """Where the entry of this name lies, or would."""
        if self.root is None:
            raise SimlabError("this archive keeps nothing, so it has no paths: give it a root folder")
        return self.root / name[:2] / f"{name}.zarr"

    def fetch(self, name: str, make: Callable[[], xr.Dataset], least_seconds: float = 0.0) -> xr.Dataset:
        """The activity or truth of this name: read if it is there and whole, else made, and stored.

        least_seconds: what took less to make is not worth its place.
        """
        stored = None if self.root is None else self.read(name)
        if stored is not None:
            self.hits += 1
            return stored
        self.misses += 1
        began = time.perf_counter()
        made = make()
        if self.root is not None and time.perf_counter() - began >= least_seconds:
            self.write(name, made)
        return made

    def read(self, name: str) -> xr.Dataset | None:
        """The entry, or None if there is none; a damaged one is removed and counts as none."""
        path = self.path(name)
        if not path.is_dir():
            return None
        try:
            return _read(path)
        except (MemoryError, PermissionError):
            raise  # the reader's trouble, not the entry's
        except Exception as error:  # whatever zarr, numpy or json raise on damaged bytes
            warnings.warn(f"archive entry {path.name} is damaged ({error}); simulating it again", stacklevel=2)
            shutil.rmtree(path, ignore_errors=True)
            return None

    def write(self, name: str, activity: xr.Dataset) -> None:
        """Stores an activity; if another process was first, its entry stays."""
        path = self.path(name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with room(".writing-", self.root) as scratch:
                _write(scratch / "entry", activity)
                try:
                    os.rename(scratch / "entry", path)
                except OSError:
                    if not path.is_dir():
                        raise
        except OSError as error:
            raise ArchiveError(
                f"the archive {self.root} cannot be written ({error}): free some space (`simlab archive --purge`), "
                "or name another folder in SIMLAB_ARCHIVE"
            ) from error

    def entries(self) -> list[tuple[str, int]]:
        """Name and size [bytes] of every entry, largest first."""
        if self.root is None or not self.root.is_dir():
            return []
        found = [(p.stem, _size(p)) for p in self.root.glob("??/*.zarr")]
        return sorted(found, key=lambda entry: -entry[1])

    def size(self) -> int:
        """Bytes held in all."""
        return sum(size for _, size in self.entries())

    def purge(self, keep_bytes: int = 0) -> int:
        """Removes the entries read or written longest ago until at most `keep_bytes` are left; returns bytes freed.

        What dead processes left goes as well, and compiled simulations that were not used for long.
        """
        if self.root is None or not self.root.is_dir():
            return 0
        paths = sorted(self.root.glob("??/*.zarr"), key=lambda p: p.stat().st_mtime)
        total, freed = self.size(), 0
        for path in paths:
            if total - freed <= keep_bytes:
                break
            freed += _size(path)
            shutil.rmtree(path, ignore_errors=True)
        sweep(self.root, *self.root.glob("??"))
        purge_builds()
        return freed


def default_root() -> Path:
    """`$SIMLAB_ARCHIVE`, else `simlab/archive` in the user's cache folder."""
    if named := os.environ.get("SIMLAB_ARCHIVE"):
        return Path(named)
    return cache_folder() / "archive"


def _digest(arrays: dict[str, np.ndarray], layout: dict[str, Any], attrs: dict[str, Any]) -> str:
    whole = hashlib.sha256(json.dumps([layout, attrs], sort_keys=True).encode())
    for name in sorted(arrays):
        whole.update(name.encode())
        whole.update(str(arrays[name].shape).encode())
        whole.update(np.ascontiguousarray(arrays[name]).data)
    return whole.hexdigest()


def _write(path: Path, activity: xr.Dataset) -> None:
    import zarr

    group = zarr.open_group(path, mode="w", zarr_format=3)
    arrays, layout = {}, {}
    for name, variable in activity.variables.items():
        values = np.asarray(variable.values)
        layout[str(name)] = {
            "dims": list(variable.dims),
            "coordinate": name in activity.coords,
            "units": variable.attrs.get("units", ""),
            **(inline := _inline(values)),
        }
        if not inline:
            arrays[str(name)] = values
    for name, values in arrays.items():
        compressors: Any = "auto" if values.nbytes > COMPRESS_ABOVE else None
        group.create_array(name, data=values, chunks=values.shape if values.size else "auto", compressors=compressors)
    group.attrs.update(
        layout=layout, attrs=_plain(activity.attrs), sha256=_digest(arrays, layout, _plain(activity.attrs))
    )


def _inline(values: np.ndarray) -> dict[str, Any]:
    """Labels and short whole numbers go into the metadata: a zarr array of its own costs more than they do."""
    if values.dtype.kind not in "biuf":
        return {"values": values.astype(str).tolist(), "dtype": "text"}
    if values.dtype.kind in "iu" and values.size <= INLINE_BELOW:
        return {"values": values.tolist(), "dtype": str(values.dtype)}
    return {}


def _outline(entry: dict[str, Any]) -> np.ndarray:
    text = entry["dtype"] == "text"
    return np.array(entry["values"], dtype=object if text else entry["dtype"])


def _read(path: Path) -> xr.Dataset:
    import zarr

    group: Any = zarr.open_group(path, mode="r", zarr_format=3)
    layout = group.attrs["layout"]
    arrays = {name: group[name][...] for name, entry in layout.items() if "values" not in entry}
    if _digest(arrays, layout, group.attrs["attrs"]) != group.attrs["sha256"]:
        raise ValueError("its contents do not match their hash")
    with contextlib.suppress(OSError):
        os.utime(path)  # so that a purge takes the longest unused first
    variables: dict[str, Any] = {}
    coords: dict[str, Any] = {}
    for name, entry in layout.items():
        values = _outline(entry) if "values" in entry else arrays[name]
        units = {"units": entry["units"]} if entry["units"] else {}
        (coords if entry["coordinate"] else variables)[name] = (entry["dims"], values, units)
    return xr.Dataset(variables, coords, dict(group.attrs["attrs"]))


def _plain(attrs: dict) -> dict:
    return {str(k): v.item() if isinstance(v, np.generic) else v for k, v in attrs.items()}


def _size(path: Path) -> int:
    return sum(f.stat().st_size for f in path.rglob("*") if f.is_file())
