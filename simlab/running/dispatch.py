"""Cells out to an executor, rows back as they finish; a cell whose worker died is tried again alone, sealed off."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Future, wait
from dataclasses import replace
from typing import Any

from simlab.contracts import SimlabError
from simlab.execution.room import with_room
from simlab.experiment import Cell
from simlab.running.executors import Pool
from simlab.running.schedule import Schedule
from simlab.running.shipping import Shipment, packed, unpacked

Outcome = tuple[dict[str, Any], tuple[bytes, ...]]
"""A row, and the blobs that it refers to."""

Taken = tuple[int, Cell, tuple]

DIED = "the worker process died: killed for its memory, or crashed in compiled code"


def finished_rows(todo: list[tuple[int, Cell]], settings: Any, pool: Pool) -> Iterable[tuple[int, Outcome]]:
    """Each cell's place and row as they finish; a cell whose worker died is tried again alone, sealed off."""
    schedule = Schedule(todo)
    flying: dict[Future, Taken] = {}
    while True:
        while len(flying) < pool.slots and (taken := schedule.take()) is not None:
            try:
                flying[_submit(taken[1], settings, pool)] = taken
            except BrokenExecutor:  # a worker died between two looks: this cell is tried with the others
                yield taken[0], _alone(taken[1], settings, pool, broken=True)
                schedule.finished(taken)
        if not flying:
            return
        ready, _ = wait(flying, return_when=FIRST_COMPLETED)
        broken = any(isinstance(_error(future), BrokenExecutor) for future in ready)
        done = list(flying) if broken else ready
        for future, taken in [(future, flying.pop(future)) for future in done]:
            yield taken[0], _row(future, taken[1], settings, pool, broken)
            broken = False  # the pool is renewed with the first
            schedule.finished(taken)


def _row(future: Future, cell: Cell, settings: Any, pool: Pool, broken: bool) -> Outcome:
    """What a future holds; if its worker was lost, of the cell tried again. What the house did wrong is raised."""
    if broken or not future.done() or _lost(_error(future)):
        return _alone(cell, settings, pool, broken=broken)
    return future.result()


def _error(future: Future) -> BaseException | None:
    return CancelledError() if future.cancelled() else future.exception()


def _lost(error: BaseException | None) -> bool:
    """Whether this tells that the worker ended, and not what the work came to (Dask has errors of its own for it)."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    return isinstance(error, BrokenExecutor) or bool(kinds & {"KilledWorker", "CancelledError", "CommClosedError"})


def _submit(cell: Cell, settings: Any, pool: Pool) -> Future:
    if pool.here:
        return pool.executor.submit(run_here, cell, settings)
    shipment = packed(cell, settings)
    try:
        return pool.executor.submit(work, shipment)
    except BrokenExecutor:
        raise
    except RuntimeError as error:
        raise SimlabError(f"the executor takes no more work ({error}): give one that was not shut down") from error


def _alone(cell: Cell, settings: Any, pool: Pool, *, broken: bool) -> Outcome:
    """A cell whose worker died: again, by itself, its method in a process of its own."""
    if broken:
        pool.renew()
    sealed = replace(settings, strict=True)
    try:
        future = _submit(cell, sealed, pool)
    except BrokenExecutor:  # another worker died meanwhile
        pool.renew()
        future = _submit(cell, sealed, pool)
    wait([future])
    error = _error(future)
    if not _lost(error):
        return future.result()
    if isinstance(error, BrokenExecutor):
        pool.renew()
    from simlab.lab.row import lost

    return lost(cell, settings, DIED), ()


def run_here(cell: Cell, settings: Any) -> Outcome:
    """A cell in this process."""
    from simlab.lab.cell import run_cell

    return with_room(run_cell, cell, settings)


def work(shipment: Shipment) -> Outcome:
    """What a worker does; it imports the heavy parts once."""
    return run_here(*unpacked(shipment))
