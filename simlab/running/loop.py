"""An experiment over any `concurrent.futures.Executor`: cells out, rows into the ledger, results back.

One code path for one process, many, or a Dask cluster (`distributed.Client.get_executor()`); the results are the
same to the bit, since every random stream is a hash of the seed and the cell.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait as wait_for
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from threading import Thread
from typing import Any

from simlab.contracts import SimlabError
from simlab.experiment import Cell, Experiment
from simlab.fingerprint import describe
from simlab.provenance import machine, versions
from simlab.store.archive import default_root
from simlab.store.ledger import Ledger, Row
from simlab.store.results import Results, read_run_file

Progress = Callable[[int, int, Row], None]

SINGLE_THREADED = {
    "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "MPLBACKEND": "Agg",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false", "JAX_PLATFORMS": "cpu",
}  # fmt: skip
"""Set for workers: processes are the parallelism, and sums must not depend on how many threads made them."""


def run(
    experiment: Experiment | str,
    out: Path | str | None = None,
    *,
    subjects: int | None = None,
    workers: int | None = None,
    executor: Executor | None = None,
    strict: bool = False,
    resume: bool = False,
    seed: int | str | None = None,
    archive: Path | str | bool | None = True,
    progress: Progress | None = None,
) -> Results:
    """Runs every cell that the ledger lacks, and returns the results.

    out: run folder, `runs/NAME` by default. subjects: overrides the experiment's number. workers: processes; None
    runs here, one cell after another. executor: any other concurrent.futures.Executor. strict: every method in its
    own sealed process. resume: go on with the folder's run, its seed and rows. archive: True for the user's shared
    one, a folder, or False to keep no activity. progress: called with (done, total, row) after each cell.
    Raises SimlabError if the folder holds a run and `resume` is not given.
    """
    source = experiment if isinstance(experiment, str) else experiment.name
    spec = load_experiment(experiment) if isinstance(experiment, str) else experiment
    if workers is not None and workers < 1:
        raise SimlabError(f"workers must be >= 1, got {workers}: give at least one process, or none to run here")
    folder = Path(out) if out is not None else Path("runs") / spec.name
    spec = _as_it_will_run(folder, spec, subjects=subjects, seed=seed, resume=resume)
    cells = {cell.key(spec.seed): cell for cell in spec.cells()}
    _write_run_file(folder, spec, source, len(cells))
    ledger = Ledger(folder / "ledger.sqlite")
    settings = _settings(spec, archive, strict, worker=executor is None and workers is not None)

    ledger.arrange({key: position for position, key in enumerate(cells)})
    done = ledger.keys()
    todo = [(position, cell) for position, (key, cell) in enumerate(cells.items()) if key not in done]
    finished = len(cells) - len(todo)
    with _executor(executor, workers, len(todo)) as pool:
        for position, row in _rows(todo, settings, pool):
            ledger.write(row | {"position": position, "experiment": spec.name})
            finished += 1
            if progress is not None:
                progress(finished, len(cells), row)
    return Results(folder, spec)


def load_experiment(source: str) -> Experiment:
    """An experiment by registered name, or the one that a Python file defines.

    A file may define several; the one named EXPERIMENT is then run, and there must be one.
    """
    from simlab.registry import get

    if not source.endswith(".py"):
        return get("experiments", source)
    path = Path(source).resolve()
    if not path.is_file():
        raise SimlabError(f"there is no file {source}: give an experiment's name or the path of a Python file")
    module = _module_of(path)
    found = {name: value for name, value in vars(module).items() if isinstance(value, Experiment)}
    chosen = found.get("EXPERIMENT") or (next(iter(found.values())) if len(found) == 1 else None)
    if chosen is None:
        raise SimlabError(
            f"{source} must define one simlab.Experiment, or one named EXPERIMENT; it defines {sorted(found) or 'none'}"
        )
    return chosen


def _module_of(path: Path) -> Any:
    """The file as an importable module, so that workers find the classes that it defines."""
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
        inherited = os.environ.get("PYTHONPATH", "")
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(path.parent), inherited]))
    found = importlib.util.find_spec(path.stem)
    if found is None or found.origin is None or Path(found.origin).resolve() != path:
        raise SimlabError(
            f"{path.name} cannot be imported as {path.stem!r}: its name is no identifier or is taken by "
            f"{found.origin if found else 'nothing'}; rename the file"
        )
    try:
        return importlib.import_module(path.stem)
    except (Exception, SystemExit) as error:
        raise SimlabError(f"{path.name} cannot be run as Python: {type(error).__name__}: {error}") from error


def _as_it_will_run(
    folder: Path, spec: Experiment, *, subjects: int | None, seed: int | str | None, resume: bool
) -> Experiment:
    """The experiment with the seed and number of subjects of this run, or of the one that it goes on with."""
    if (folder / "run.json").is_file():
        if not resume:
            raise SimlabError(f"{folder} already holds a run: go on with it by --resume, or name another --out folder")
        earlier = read_run_file(folder)
        if earlier["experiment"] != spec.name:
            raise SimlabError(f"{folder} holds a run of {earlier['experiment']!r}, not of {spec.name!r}")
        if seed is not None and str(seed) != str(earlier["seed"]):
            raise SimlabError(
                f"{folder} was begun with seed {earlier['seed']}, got {seed}: a resumed run keeps its seed"
            )
        return replace(spec, seed=earlier["seed"], subjects=earlier["subjects"] if subjects is None else subjects)
    if resume:
        raise SimlabError(f"{folder} holds no run to go on with: leave out --resume, or name the right --out folder")
    return replace(
        spec, seed=spec.seed if seed is None else seed, subjects=spec.subjects if subjects is None else subjects
    )


def _write_run_file(folder: Path, spec: Experiment, source: str, n_cells: int) -> None:
    """`run.json`: everything needed to repeat the run."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        scratch = folder / ".run.json.writing"
        scratch.write_text(json.dumps(_run_file(spec, source, n_cells), indent=1))
        os.replace(scratch, folder / "run.json")
    except OSError as error:
        raise SimlabError(f"the run folder {folder} cannot be written ({error}): name another with --out") from error


def _run_file(spec: Experiment, source: str, n_cells: int) -> dict[str, Any]:
    return {
        "experiment": spec.name,
        "asks": spec.asks,
        "source": str(Path(source).resolve()) if source.endswith(".py") else source,
        "seed": spec.seed,
        "subjects": spec.subjects,
        "cells": n_cells,
        "time_limit": spec.time_limit,
        "memory_limit": spec.memory_limit,
        "grids": describe(spec.grids),
        "versions": versions(),
        "machine": machine(),
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "written": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def _settings(spec: Experiment, archive: Path | str | bool | None, strict: bool, worker: bool) -> Any:
    from simlab.lab.cell import Settings

    root = default_root() if archive is True else Path(archive) if archive else None
    where = None if root is None else str(root)
    return Settings(spec.seed, where, spec.time_limit, spec.memory_limit, strict, worker)


class Inline(Executor):
    """Runs each task where it is submitted: the executor of a notebook or a debugger."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future:
        future: Future = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class Pool:
    """An executor that can be replaced after a worker has died, and how many cells to keep in flight on it."""

    def __init__(self, make: Callable[[], Executor], slots: int, *, owned: bool, processes: bool = False) -> None:
        self._make, self.slots, self._owned, self.processes = make, slots, owned, processes
        self.executor = make()

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._owned:
            self.executor.shutdown(wait=kind is None, cancel_futures=True)

    def renew(self) -> None:
        self.executor.shutdown(wait=False, cancel_futures=True)
        self.executor = self._make()


def _executor(given: Executor | None, workers: int | None, n_cells: int) -> Pool:
    if given is not None:
        slots = getattr(given, "_max_workers", None) or 4 * (os.cpu_count() or 1)
        return Pool(lambda: given, slots, owned=False)
    if workers is None or n_cells == 0:
        return Pool(Inline, 1, owned=True)

    def make() -> Executor:
        for name, value in SINGLE_THREADED.items():
            os.environ.setdefault(name, value)
        return ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_end_with_parent)

    return Pool(make, workers, owned=True, processes=True)


def _rows(todo: list[tuple[int, Cell]], settings: Any, pool: Pool) -> Iterable[tuple[int, Row]]:
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


def _alone(cell: Cell, settings: Any, pool: Pool) -> Row:
    """A cell that was in flight when a worker died: again, by itself, its method in a process of its own."""
    pool.renew()
    try:
        return pool.executor.submit(work, cell, replace(settings, strict=True)).result()
    except BrokenProcessPool:
        from simlab.lab.cell import failed_row

        pool.renew()
        return failed_row(cell, settings, "the worker process died: killed for its memory, or crashed in compiled code")


def _end_with_parent() -> None:
    """A worker whose lab was killed ends at once, rather than wait for work that cannot come."""
    parent = parent_process()
    if parent is not None:
        watch = Thread(target=lambda: (wait_for([parent.sentinel]), os._exit(1)), daemon=True)
        watch.start()


def work(cell: Cell, settings: Any) -> Row:
    """What a worker does; it imports the heavy parts once."""
    from simlab.lab.cell import run_cell

    return run_cell(cell, settings)


class Schedule:
    """The order of cells: those of one simulation go to one slot in turn, so that it is simulated once.

    When no simulation is left to begin, free slots help with those whose activity is already in the archive.
    """

    def __init__(self, todo: list[tuple[int, Cell]]) -> None:
        groups: dict[tuple, deque] = {}
        for position, cell in todo:
            home = (id(cell.circuit), cell.subject, cell.plan)
            groups.setdefault(home, deque()).append((position, cell, home))
        self._groups = groups
        self._waiting = deque(groups)
        self._begun: dict[tuple, None] = {}  # groups whose first cell is done, and that have cells left
        self._next: deque[tuple] = deque()  # groups that just gave up a slot

    def take(self) -> tuple[int, Cell, tuple] | None:
        """The next cell to submit, or None if all that is left waits for a simulation in flight."""
        while self._next:
            home = self._next.popleft()
            if self._groups[home]:
                return self._groups[home].popleft()
        if self._waiting:
            return self._groups[self._waiting.popleft()].popleft()
        for home in list(self._begun):
            if self._groups[home]:
                return self._groups[home].popleft()
            del self._begun[home]
        return None

    def finished(self, taken: tuple[int, Cell, tuple]) -> None:
        """A cell is done: its group may go on, and others may now help with it."""
        home = taken[2]
        self._begun.setdefault(home)
        self._next.append(home)
