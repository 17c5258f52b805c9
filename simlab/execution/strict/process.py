"""A jailed process at the end of two pipes: messages in and out, held to its limits while one waits for it."""

from __future__ import annotations

import json
import os
import resource
import selectors
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from simlab.execution.limits import PAGE, high_water_mark, status_field, wall_limit
from simlab.execution.strict.dialogue import longest_line, parsed
from simlab.execution.strict.forking import Child

POLL = 0.05
"""Seconds between looks at the process's memory."""

GROUP_EVERY = 20
"""The whole process group is looked at every so many polls: that reads all of /proc."""

MOST_PROCESSES = 500
"""Of one method at a time: a machine has some 30,000 for all."""

MARGIN = 1.2
"""The watch over resident memory strikes above so many memory limits; the kernel's own limit comes first."""

TICKS = os.sysconf("SC_CLK_TCK")
"""Ticks per second of the kernel's account of processor time."""

COMPLAINTS = 8000
"""The last so many bytes of stderr are kept."""


class Ended(Exception):
    """The conversation is over without an answer; the message is the outcome's error line."""


class Process:
    """A jailed child in conversation; every wait for it ends at its time limit, its memory limit or its death."""

    def __init__(self, child: Child, memory_limit: int) -> None:
        self.memory_limit, self.memory_base, self.group_base = memory_limit, 0, 0
        self.longest_line = longest_line(0, active=True)
        self.top = 0
        self._deadline = self._processor = float("inf")
        self._spent = 0.0
        self._buffer, self._polls, self._top_time = bytearray(), 0, 0.0
        self._next_look = 0.0
        self._child, self.pid = child, child.pid

    def wait_at_most(self, seconds: float) -> None:
        """Lets the process take so long from now, on the wall clock."""
        self._deadline = time.perf_counter() + seconds

    def start_clock(self, seconds: float) -> None:
        """Gives the process so many seconds of processor time from now, and the wall clock's share of that."""
        self._spent = self._processor_time()
        self._processor = self._spent + seconds
        self.wait_at_most(wall_limit(seconds))

    def seconds(self) -> float:
        """Processor time [s] of the process and its children since the clock was started."""
        return max(0.0, self._processor_time() - self._spent)

    @contextmanager
    def clock_stopped(self) -> Iterator[None]:
        """The time within does not count."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self._deadline += time.perf_counter() - began

    def _processor_time(self) -> float:
        """Of the process and its children [s]; what it last was, once it has ended."""
        pids = _group(self.pid) if self._polls % GROUP_EVERY == 0 else (self.pid,)
        self._top_time = max(self._top_time, sum(map(_processor_time, pids)))
        return self._top_time

    def send(self, message: Mapping[str, Any]) -> None:
        """Writes one line; raises TimeoutError at the deadline, Ended if nobody reads it."""
        left = memoryview(json.dumps(message).encode() + b"\n")
        while left:
            self._wait(self._child.stdin, selectors.EVENT_WRITE)
            try:
                left = left[os.write(self._child.stdin, left) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                raise Ended(self._cause_of_death()) from None

    def receive(self, seconds: float | None = None) -> dict[str, Any]:
        """Reads one line, a JSON object; raises TimeoutError at the deadline and Ended if there is none."""
        if seconds is not None:
            self.wait_at_most(seconds)
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > self.longest_line:
                raise Ended(f"MemoryError: a message is longer than {self.longest_line} bytes")
            self._wait(self._child.stdout, selectors.EVENT_READ)
            chunk = os.read(self._child.stdout, 1 << 20)
            if not chunk:
                raise Ended(self._cause_of_death())
            self._buffer += chunk
        line, self._buffer = bytes(self._buffer[:end]), self._buffer[end + 1 :]
        try:
            return parsed(line)
        except ValueError as error:
            raise Ended(f"ValueError: {error}") from error

    def limit_memory(self) -> None:
        """Counts memory from here: what is held now was taken by Python and its packages."""
        pid = self.pid
        try:
            with open(f"/proc/{pid}/statm", "rb") as statm:
                held = int(statm.read().split()[5]) * PAGE
            self.memory_base, self.group_base = _resident(pid), _share(pid)
            resource.prlimit(pid, resource.RLIMIT_DATA, (held + self.memory_limit,) * 2)
        except (OSError, AttributeError):
            return  # no Linux: the watch over resident memory is all there is

    def peak(self) -> int:
        """The most resident memory that the process held at any time so far [bytes]."""
        try:
            with open(f"/proc/{self.pid}/status", "rb") as status:
                self.top = max(self.top, high_water_mark(status.read()))
        except OSError:
            pass  # it has ended: what was seen last stands
        return self.top

    def complaints(self) -> str:
        """The end of what it wrote to stderr (the position and the flags of that file are the method's to move)."""
        handle = self._child.errors.fileno()
        try:
            said = os.pread(handle, COMPLAINTS, max(0, os.fstat(handle).st_size - COMPLAINTS))
        except OSError:
            return ""
        return said.decode(errors="replace")

    def kill(self) -> None:
        """Ends the whole process group and lets go of the pipes."""
        self._child.end()

    def _wait(self, end: int, event: int) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(end, event)
            while True:
                left = self._deadline - time.perf_counter()
                if left <= 0:
                    raise TimeoutError
                ready = selector.select(min(left, POLL))
                self._look()
                if ready:
                    return

    def _look(self) -> None:
        """Holds it to its limits, at most every POLL seconds, however much it has to say in between."""
        if time.perf_counter() < self._next_look:
            return
        self._watch_memory()
        if self._processor_time() > self._processor:
            raise TimeoutError
        self._next_look = time.perf_counter() + POLL

    def _watch_memory(self) -> None:
        self._polls += 1
        held = _resident(self.pid) - self.memory_base
        if self._polls % GROUP_EVERY == 0 and len(group := list(_group(self.pid))) > 1:
            held = max(held, sum(map(_share, group)) - self.group_base)
            if len(group) > MOST_PROCESSES:
                raise Ended(f"RuntimeError: a method may have {MOST_PROCESSES} processes, and had {len(group)}")
        if held > MARGIN * self.memory_limit:
            raise Ended(
                f"MemoryError: the method's process held {held / 2**20:.0f} MiB, "
                f"over its limit of {self.memory_limit / 2**20:.0f} MiB"
            )

    def _cause_of_death(self) -> str:
        status = self._child.wait(2.0)
        if status is None:
            return "RuntimeError: the method closed its output before it gave a finding"
        if status < 0:
            return f"ProcessDied: the method's process was ended by {signal.Signals(-status).name} before its finding"
        return f"ProcessDied: the method's process ended with status {status} before its finding"


def _processor_time(pid: int) -> float:
    """Seconds that a process and its ended children have computed; 0 if it has ended."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / TICKS


def _resident(pid: int) -> int:
    """Resident memory of a process but for mapped files, and the kernel's tables of it [bytes]; 0 if it has ended."""
    return _status(pid, b"RssAnon:", b"RssShmem:", b"VmPTE:")


def _status(pid: int, *names: bytes) -> int:
    """The sum of some sizes of a process [bytes]; 0 if it has ended."""
    try:
        with open(f"/proc/{pid}/status", "rb") as file:
            status = file.read()
    except OSError:
        return 0
    return sum(status_field(status, name) for name in names)


def _share(pid: int) -> int:
    """A process's share of its memory but for mapped files [bytes]: a page of several processes counts in parts."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
            text = file.read()
    except OSError:
        return _resident(pid)
    return status_field(text, b"Pss_Anon:") + status_field(text, b"Pss_Shmem:") + _status(pid, b"VmPTE:")


def _group(leader: int) -> Iterator[int]:
    """The processes of a process group."""
    for name in os.listdir("/proc") if os.path.isdir("/proc") else []:
        if name.isdigit():
            try:
                if os.getpgid(int(name)) == leader:
                    yield int(name)
            except OSError:
                continue
