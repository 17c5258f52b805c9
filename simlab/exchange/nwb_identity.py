"""What NWB and HDF5 would draw at random or read off the clock, from what a file holds: same recording, same bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_OID, UUID, uuid5

import numpy as np
import xarray as xr

from simlab.exchange.notes import to_notes

if TYPE_CHECKING:
    from pynwb import NWBFile

FIRST_DAY, DAYS = datetime(2000, 1, 1, tzinfo=UTC), 7000
"""The days that dates of files are taken from: NWB demands a date, and a simulated subject has none."""


def identity_of(dataset: xr.Dataset, said: Mapping[str, str]) -> UUID:
    """An identifier by the SHA-256 of a bare Recording and of what else is `said` in its file.

    Recordings are equal wherever their seeds are, so it is derived from the seed, and gives nothing of it away.
    """
    digest = hashlib.sha256(to_notes(dataset, tables=True).encode())
    digest.update(repr(sorted(said.items())).encode())
    for name in sorted(map(str, dataset.variables)):
        values = np.asarray(dataset[name].values)
        if values.dtype.kind in "biuf":  # names are in the notes
            digest.update(f"{name} {dataset[name].dims} {values.dtype.str} {values.shape}".encode())
            digest.update(np.ascontiguousarray(values).tobytes())
    return uuid5(NAMESPACE_OID, digest.hexdigest())


def date_of(identity: UUID) -> datetime:
    """The day on which this recording is said to have been made."""
    return FIRST_DAY + timedelta(days=identity.int % DAYS)


def write_reproducibly(file: NWBFile, path: Path | str, identity: UUID) -> None:
    """Writes a new file in which the identifier of each object follows from the file's and the object's place."""
    from pynwb import NWBHDF5IO

    with NWBHDF5IO(str(path), mode="w") as io:
        _name_objects(io.manager.build(file, source=io.source, root=True), identity)
        file.set_modified(False)  # or what was built would be built again, under new random names
        io.write(file)


def _name_objects(builder: Any, identity: UUID) -> None:
    if "object_id" in builder.attributes:
        builder.attributes["object_id"] = str(uuid5(identity, builder.path))
    for part in (*getattr(builder, "groups", {}).values(), *getattr(builder, "datasets", {}).values()):
        _name_objects(part, identity)
