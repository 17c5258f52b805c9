"""Cells out to an executor, rows back as they finish; a cell whose worker died is tried again alone, sealed off."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from multiprocessing.reduction import ForkingPickler
from typing import Any

from simlab.contracts import SimlabError
from simlab.experiment import Cell
from simlab.running.executors import Pool
from simlab.running.schedule import Schedule

Outcome = tuple[dict[str, Any], tuple[bytes, ...]]
"""A row, and the blobs that it refers to."""


def finished_rows(todo: list[tuple[int, Cell]], settings: Any, pool: Pool) -> Iterable[tuple[int, Outcome]]:
    """Each cell's place and row as they finish; a cell whose worker died is tried again alone, sealed off."""
    schedule = Schedule(todo)
    flying: dict[Future, tuple[int, Cell, tuple]] = {}
    while True:
        while len(flying) < pool.slots and (taken := schedule.take()) is not None:
            try:
                flying[_submit(taken[1], settings, pool)] = taken
            except BrokenProcessPool:  # a worker died between two looks: this cell is tried with the others
                yield taken[0], _alone(taken[1], settings, pool)
                schedule.finished(taken)
        if not flying:
            return
        ready, _ = wait(flying, return_when=FIRST_COMPLETED)
        if any(isinstance(future.exception(), BrokenProcessPool) for future in ready):
            suspects = list(flying.values())
            flying.clear()
            for suspect in suspects:
                yield suspect[0], _alone(suspect[1], settings, pool)
                schedule.finished(suspect)
            continue
        for future in ready:
            taken = flying.pop(future)
            schedule.finished(taken)
            yield taken[0], future.result()


def _submit(cell: Cell, settings: Any, pool: Pool) -> Future:
    if pool.processes:
        try:
            ForkingPickler.dumps(cell)  # the pool would only say so much later, and less clearly
        except Exception as error:  # whatever the parts of the cell raise
            raise SimlabError(
                f"worker processes cannot import a part of this experiment ({error}): define it in a file, "
                "or leave out workers to run in this process"
            ) from error
    return pool.executor.submit(work, cell, settings)


def _alone(cell: Cell, settings: Any, pool: Pool) -> Outcome:
    """A cell that was in flight when a worker died: again, by itself, its method in a process of its own."""
    pool.renew()
    try:
        return pool.executor.submit(work, cell, replace(settings, strict=True)).result()
    except BrokenProcessPool:
        from simlab.lab.row import failed

        pool.renew()
        died = "the worker process died: killed for its memory, or crashed in compiled code"
        return failed(cell, settings, died), ()


def work(cell: Cell, settings: Any) -> Outcome:
    """What a worker does; it imports the heavy parts once."""
    from simlab.lab.cell import run_cell

    return run_cell(cell, settings)
