"""How benchmarks measure: wall and processor seconds, here and in processes of their own, best of alternating rounds.

Processor seconds of all threads mean something on a busy machine too; wall seconds only on an idle one.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import perf_counter, process_time
from typing import Any, NamedTuple

Work = Callable[[], Any]


class Spent(NamedTuple):
    """Seconds that something took."""

    wall: float
    processor: float

    def scaled(self, factor: float) -> Spent:
        """As many times as much."""
        return Spent(self.wall * factor, self.processor * factor)


def seconds(work: Work) -> Spent:
    """What some work takes in this process, its threads included."""
    wall, processor = perf_counter(), process_time()
    work()
    return Spent(perf_counter() - wall, process_time() - processor)


def best(times: Sequence[Spent]) -> Spent:
    """The least of each."""
    return Spent(*map(min, zip(*times, strict=True)))


def best_of_rounds(rounds: int, measured: Mapping[str, Callable[[], Spent]]) -> dict[str, Spent]:
    """The best of some rounds, in each of which everything is measured once: what slows one slows its neighbours."""
    times = [{name: measure() for name, measure in measured.items()} for _ in range(rounds)]
    return {name: best([each[name] for each in times]) for name in measured}


def launched(command: Sequence[str], **options: Any) -> tuple[str, Spent]:
    """What a process said, and what it took with all of its children that it waited for.

    Raises RuntimeError with the end of what it said on standard error if it fails.
    """
    with tempfile.TemporaryFile("w+") as complaints:
        start = perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=complaints, text=True, **options)
        assert process.stdout is not None
        with process.stdout:
            said = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        wall, process.returncode = perf_counter() - start, os.waitstatus_to_exitcode(status)
        if process.returncode:
            complaints.seek(0)
            raise RuntimeError(f"{command} ended with {process.returncode}: {complaints.read()[-2000:]}")
    return said, Spent(wall, used.ru_utime + used.ru_stime)


@contextmanager
def one_core() -> Iterator[None]:
    """Within this block this process, and those that it starts, have one core."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
