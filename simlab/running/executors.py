"""Where cells run: here, in worker processes, or on any `concurrent.futures.Executor`."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import parent_process
from multiprocessing.connection import wait as wait_for
from multiprocessing.context import SpawnContext, SpawnProcess
from threading import Thread
from types import ModuleType
from typing import Any

from simlab.execution.threads import SINGLE_THREADED

IN_WORKERS = {**SINGLE_THREADED, "SIMLAB_ENGINE_THREADS": "1"}
"""Set for workers: processes are the parallelism, and sums must not depend on how many threads made them."""

PATIENCE = 5.0
"""Seconds that workers get to end by themselves when all is done: what a method left running may hold one up."""


class Inline(Executor):
    """Runs each task where it is submitted: the executor of a notebook or a debugger."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future:
        """Runs the task at once; what it raises is in the future."""
        future: Future = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class Workers:
    """Makes pools of worker processes, and ends what they started."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.context = _Spawning()
        self._added: set[str] = set()  # to this process's environment, which theirs is made of

    def make(self) -> Executor:
        """A pool of fresh processes, one thread each."""
        self._added = set(IN_WORKERS) - set(os.environ)
        os.environ.update({name: IN_WORKERS[name] for name in self._added})
        return ProcessPoolExecutor(self.number, mp_context=self.context, initializer=_end_with_parent)

    def end(self, patience: float) -> None:
        """Lets the processes end, and ends those that do not."""
        until = time.monotonic() + patience
        for process in self.context.started:
            process.join(max(0.0, until - time.monotonic()))
            with suppress(ValueError, OSError):
                process.kill()
        self.context.started.clear()
        for name in self._added:
            os.environ.pop(name, None)


class Pool:
    """An executor that can be replaced after a worker has died, and how many cells to keep in flight on it."""

    def __init__(self, executor: Executor, slots: int, workers: Workers | None = None, *, here: bool = False) -> None:
        self.executor, self.slots, self._workers, self.here = executor, slots, workers, here

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._workers is not None:
            self.executor.shutdown(wait=False, cancel_futures=True)
            self._workers.end(PATIENCE if kind is None else 0.0)

    def renew(self) -> None:
        """Lets a broken executor go and makes another: in the place of one that a user gave, worker processes."""
        if self._workers is None:
            print("simlab: the executor is broken; going on in worker processes of its own", file=sys.stderr)
            self._workers = Workers(min(self.slots, os.cpu_count() or 1))
        else:
            self.executor.shutdown(wait=False, cancel_futures=True)
            self._workers.end(0.0)
        self.executor = self._workers.make()


def pool_of(given: Executor | None, workers: int | None, n_cells: int) -> Pool:
    """The pool of an executor that was given, of worker processes, or of this process alone."""
    if given is not None:
        return Pool(given, getattr(given, "_max_workers", None) or 4 * (os.cpu_count() or 1))
    if workers is None or n_cells == 0:
        return Pool(Inline(), 1, here=True)
    made = Workers(workers)
    return Pool(made.make(), workers, made)


class _Process(SpawnProcess):
    """A process that does not run the user's main script again: what it needs of that travels by value."""

    @staticmethod
    def _Popen(process_obj: Any) -> Any:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            return SpawnProcess._Popen(process_obj)  # type: ignore[attr-defined]
        finally:
            sys.modules["__main__"] = main


class _Spawning(SpawnContext):
    """Spawns such processes and remembers them."""

    def __init__(self) -> None:
        super().__init__()
        self.started: list[SpawnProcess] = []

    def Process(self, *args: Any, **kwargs: Any) -> SpawnProcess:  # type: ignore[override]
        """As `multiprocessing` asks for one."""
        process = _Process(*args, **kwargs)
        self.started.append(process)
        return process


def _end_with_parent() -> None:
    """A worker whose lab was killed ends at once, rather than wait for work that cannot come."""
    parent = parent_process()
    if parent is not None:
        watch = Thread(target=lambda: (wait_for([parent.sentinel]), os._exit(1)), daemon=True)
        watch.start()
