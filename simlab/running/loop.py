"""An experiment over any `concurrent.futures.Executor`: cells out, rows into the ledger, results back.

One code path for one process, many, or a Dask cluster (`distributed.Client.get_executor()`); the results are the
same to the bit, since every random stream is a hash of the seed and of names.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from pathlib import Path
from typing import Annotated, Any

from simlab.bars import Progress, progress_bar
from simlab.experiment import Cell, Experiment, Seed, Subjects
from simlab.litter import sweep
from simlab.loading import load_experiment
from simlab.results import Results
from simlab.rules import Within
from simlab.running.arguments import check_run
from simlab.running.dispatch import finished_rows
from simlab.running.executors import pool_of
from simlab.running.folder import as_it_will_run, engine_of_run, secret_seed, settings_of_run, write_run_file
from simlab.running.staleness import Standing, standing
from simlab.store.archive import default_root
from simlab.store.ledger import Ledger
from simlab.store.mending import mended
from simlab.variation import varied


def run(
    experiment: Experiment | str,
    out: Path | str | None = None,
    *,
    subjects: Subjects | None = None,
    workers: Annotated[int, Within(1, 1024)] | None = None,
    executor: Executor | None = None,
    strict: bool | None = None,
    resume: bool = False,
    seed: Seed | None = None,
    archive: Path | str | bool | None = True,
    progress: Progress | bool | None = None,
    settings: Iterable[str] = (),
    engine: str | None = None,
    say: Callable[[str], None] | None = None,
) -> Results:
    """Runs every cell that the ledger lacks, and returns the results.

    out: run folder, `runs/NAME` by default. subjects: overrides the experiment's number. workers: processes; None
    runs here, one cell after another. executor: any other concurrent.futures.Executor. strict: True seals every
    method in a process of its own, and draws a secret seed unless one is given; None seals methods in workers and
    those that are not built in; False none. resume: go on with the folder's run, its seed and rows; rows made by
    other code, criteria or libraries are stale and made again, which `say` is told (standard error by default).
    archive: True for the user's shared one, a folder, or False to keep no activity. progress: a bar with the
    remaining time on a terminal and in a notebook, elsewhere a line on standard error every 30 s at most (None), at
    every tenth (True), or nothing (False); or your own, called with (done, total, row) after each cell.
    settings: `part.field=value` replaces a parameter wherever that part stands in the grids (`simlab.variation`).
    engine: what runs spiking networks, `auto` (None), `kernel`, `brian2` or `brian2-cython`; a resumed run keeps its.
    Raises SimlabError if the folder holds a run and `resume` is not given, or a run of an earlier version.
    """
    check_run(run, locals())
    source = experiment if isinstance(experiment, str) else experiment.name
    spec = load_experiment(experiment) if isinstance(experiment, str) else experiment
    folder = Path(out) if out is not None else Path("runs") / spec.name
    secret = bool(strict) and not resume
    settings = settings_of_run(folder, settings, resume=resume)
    engine = engine_of_run(folder, engine, resume=resume)
    spec = varied(spec, settings)
    spec = as_it_will_run(folder, spec, subjects=subjects, seed=secret_seed(seed) if secret else seed, resume=resume)
    cells = {cell.digest(spec.seed): cell for cell in spec.cells()}
    write_run_file(folder, spec, source, len(cells), settings, strict, engine)
    sweep(_root(archive))
    for sentence in mended(folder / "ledger.sqlite"):
        (say or _to_stderr)(sentence)
    ledger = Ledger(folder / "ledger.sqlite")
    found = standing(ledger, cells)
    for sentence in found.sentences():
        (say or _to_stderr)(sentence)
    orders = _settings(spec, archive, strict, executor, workers, engine)
    try:
        with progress_bar(progress) as told:
            _work_off(ledger, cells, found, spec, orders, executor, workers, told)
    finally:
        ledger.close()
    return Results(folder, spec)


def _work_off(
    ledger: Ledger,
    cells: dict[str, Cell],
    found: Standing,
    spec: Experiment,
    settings: Any,
    executor: Executor | None,
    workers: int | None,
    progress: Progress | None,
) -> None:
    """Scores again what needs no more than that, and runs the rest; each row is kept as soon as it is there."""
    for row in found.scored_again():
        ledger.write(row)
    ledger.arrange({digest: position for position, digest in enumerate(cells)})
    todo = [(position, cell) for position, (digest, cell) in enumerate(cells.items()) if digest in found.todo]
    finished = len(cells) - len(todo)
    with pool_of(executor, workers, len(todo)) as pool:
        for position, (row, blobs) in finished_rows(todo, settings, pool):
            ledger.write(row | {"position": position, "experiment": spec.name}, blobs)
            finished += 1
            if progress is not None:
                progress(finished, len(cells), row)


def _to_stderr(sentence: str) -> None:
    print(sentence, file=sys.stderr)


def _root(archive: Path | str | bool | None) -> Path | None:
    return default_root() if archive is True else Path(archive) if archive else None


def _settings(
    spec: Experiment,
    archive: Path | str | bool | None,
    strict: bool | None,
    executor: Executor | None,
    workers: int | None,
    engine: str,
) -> Any:
    from simlab.lab.row import Settings

    root = _root(archive)
    where = None if root is None else str(root)
    elsewhere, worker = executor is not None or workers is not None, executor is None and workers is not None
    limits = spec.time_limit, spec.memory_limit
    return Settings(spec.seed, where, *limits, strict, elsewhere, worker, spec.simulation_limit, engine)
