"""Cells on their way to a worker: by cloudpickle, so that classes of notebooks and scripts travel by value."""

from __future__ import annotations

import pickle
import secrets
import sys
from dataclasses import dataclass
from typing import Any

from simlab.contracts import SimlabError
from simlab.experiment import Cell
from simlab.sources import code_hash, tell_hash

HERE = secrets.token_hex(8)
"""This process: what a thread of it is sent needs no telling."""

PARTS = ("circuit", "instrument", "method", "stimulator", "asked")


@dataclass(frozen=True)
class Shipment:
    """A cell and its settings, pickled; where to find modules; hashes of code that may travel without its source."""

    body: bytes
    path: tuple[str, ...]
    hashes: tuple[str, ...]
    sender: str


def packed(cell: Cell, settings: Any) -> Shipment:
    """Ready to be sent; raises SimlabError where a part of the cell cannot travel."""
    import cloudpickle

    hashes = tuple("" if part is None else code_hash(type(part)) for part in _parts(cell))
    try:
        return Shipment(cloudpickle.dumps((cell, settings)), tuple(sys.path), hashes, HERE)
    except Exception as error:  # whatever the parts of the cell raise
        raise SimlabError(
            f"a part of this experiment cannot be sent to a worker ({type(error).__name__}: {error}): keep locks, "
            "connections and the like out of circuits, instruments and methods, or leave out workers to run here"
        ) from error


def unpacked(shipment: Shipment) -> tuple[Cell, Any]:
    """The cell and its settings; raises SimlabError where this process cannot import what the sender could."""
    sys.path += [place for place in shipment.path if place not in sys.path]
    try:
        cell, settings = pickle.loads(shipment.body)
    except (ImportError, AttributeError) as error:
        raise SimlabError(
            f"a worker cannot import what this experiment needs ({type(error).__name__}: {error}): install it where "
            "the workers run, or put its folder on their Python path"
        ) from error
    for part, known in zip(_parts(cell), shipment.hashes, strict=True):
        if part is not None and shipment.sender != HERE:
            tell_hash(type(part), known)
    return cell, settings


def _parts(cell: Cell) -> list[Any]:
    return [getattr(cell, name) for name in PARTS]
