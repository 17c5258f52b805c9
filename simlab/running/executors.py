"""Where cells run: here, in worker processes, or on any `concurrent.futures.Executor`."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait as wait_for
from threading import Thread
from typing import Any

SINGLE_THREADED = {
    "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "MPLBACKEND": "Agg",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false", "JAX_PLATFORMS": "cpu", "SIMLAB_ENGINE_THREADS": "1",
}  # fmt: skip
"""Set for workers: processes are the parallelism, and sums must not depend on how many threads made them."""


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
        """Lets a broken executor go and makes another."""
        self.executor.shutdown(wait=False, cancel_futures=True)
        self.executor = self._make()


def pool_of(given: Executor | None, workers: int | None, n_cells: int) -> Pool:
    """The pool of an executor that was given, of worker processes, or of this process alone."""
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


def _end_with_parent() -> None:
    """A worker whose lab was killed ends at once, rather than wait for work that cannot come."""
    parent = parent_process()
    if parent is not None:
        watch = Thread(target=lambda: (wait_for([parent.sentinel]), os._exit(1)), daemon=True)
        watch.start()
