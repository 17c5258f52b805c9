"""Time and memory limits on a method that runs in this process, and what it used.

The limits are best effort: a signal interrupts Python code, not a loop in C. `last_resort` ends the whole process
then, so it is for worker processes, whose owner runs the lost cell again in a process of its own (`strict=True`).
"""

from __future__ import annotations

import ctypes
import faulthandler
import resource
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

REPEAT = 0.5
"""A method that swallows the interruption is interrupted again every so many seconds."""

LAST_RESORT_AFTER, LAST_RESORT_GRACE = 2.0, 5.0
"""The last resort comes after this many time limits, and at least so many seconds after the limit."""

PAGE = resource.getpagesize()
STATM, STATUS, CLEAR_REFS = (Path("/proc/self") / name for name in ("statm", "status", "clear_refs"))


class TimeIsUp(BaseException):
    """Raised inside a method at its time limit; no `Exception`, so that `except Exception` does not swallow it."""


class Guard:
    """A context in which the time and memory limits hold; afterwards `seconds` and `peak_memory` say what was used.

    time_limit [s]; memory_limit [bytes], beyond what the process holds at the start. `peak_memory` resets the
    kernel's high-water mark of this process (Linux); elsewhere it is what `ru_maxrss` grew by.
    """

    def __init__(self, time_limit: float, memory_limit: int, last_resort: bool = False) -> None:
        self.time_limit, self.memory_limit, self.last_resort = time_limit, memory_limit, last_resort
        self.seconds, self.peak_memory = 0.0, 0
        self.user_interrupted = False
        self._armed = self._released = False
        self._thread = threading.get_ident()
        self._in_main = threading.current_thread() is threading.main_thread()

    def __enter__(self) -> Guard:
        if self._in_main:
            self._take_signals()
        self._base = _reset_peak()
        _active.guard, self._outer = self, getattr(_active, "guard", None)
        self._arm()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.release()

    def release(self) -> None:
        """Lifts the limits; to be called once more after the block, which an alarm at its very end may cut short."""
        if self._released:
            return
        self._disarm()
        _active.guard = self._outer
        self.peak_memory = max(self.peak_memory, _peak() - self._base, 0)
        if self._in_main:
            self._return_signals()
        self._released = True

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Neither time nor memory count within."""
        self._disarm()
        self.peak_memory = max(self.peak_memory, _peak() - self._base)
        try:
            yield
        finally:
            self._base = _reset_peak()
            self._arm()

    def _arm(self) -> None:
        self._started = time.perf_counter()
        left = max(self.time_limit - self.seconds, 5e-3)
        self._limits = _limit_memory(self.memory_limit)
        self._armed = True
        if self.last_resort:
            faulthandler.dump_traceback_later(max(LAST_RESORT_AFTER * left, left + LAST_RESORT_GRACE), exit=True)
        if self._in_main:
            signal.setitimer(signal.ITIMER_REAL, left, REPEAT)
        else:
            self._timer = threading.Timer(left, self._interrupt_thread)
            self._timer.daemon = True
            self._timer.start()

    def _disarm(self) -> None:
        self._armed = False
        if self._in_main:
            signal.setitimer(signal.ITIMER_REAL, 0)
        else:
            self._timer.cancel()
            _raise_in_thread(self._thread, None)
        if self.last_resort:
            faulthandler.cancel_dump_traceback_later()
        if self._limits is not None:
            resource.setrlimit(resource.RLIMIT_DATA, self._limits)
        self.seconds += time.perf_counter() - self._started

    def _interrupt_thread(self) -> None:
        if self._armed:
            _raise_in_thread(self._thread, TimeIsUp)

    def _take_signals(self) -> None:
        self._taken_at = time.perf_counter()
        self._alarm = signal.signal(signal.SIGALRM, self._on_alarm)
        self._timer_before = signal.setitimer(signal.ITIMER_REAL, 0)
        self._interrupt = signal.getsignal(signal.SIGINT)
        if callable(self._interrupt):
            signal.signal(signal.SIGINT, self._on_interrupt)

    def _return_signals(self) -> None:
        signal.signal(signal.SIGALRM, self._alarm if self._alarm is not None else signal.SIG_DFL)
        left, interval = self._timer_before
        if left:
            passed = time.perf_counter() - self._taken_at
            signal.setitimer(signal.ITIMER_REAL, max(left - passed, 1e-3), interval)
        if callable(self._interrupt):
            signal.signal(signal.SIGINT, self._interrupt)

    def _on_alarm(self, number: int, frame: FrameType | None) -> None:
        if self._armed:
            raise TimeIsUp

    def _on_interrupt(self, number: int, frame: FrameType | None) -> None:
        self.user_interrupted = True
        if callable(self._interrupt):
            self._interrupt(number, frame)


_active = threading.local()


@contextmanager
def off_the_clock() -> Iterator[None]:
    """What runs within is the lab's work, not the method's: a rig's simulation inside `record`, above all.

    Neither its time nor its memory count against the limits of the method that is being executed in this thread.
    """
    guard: Guard | None = getattr(_active, "guard", None)
    if guard is None:
        yield
    else:
        with guard.paused():
            yield


def _raise_in_thread(thread: int, error: Any) -> None:
    target = None if error is None else ctypes.py_object(error)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), target)


def _limit_memory(allowance: int) -> tuple[int, int] | None:
    """Caps private memory at what is held now plus `allowance` [bytes]; returns the limits before, None if it cannot.

    RLIMIT_DATA rather than RLIMIT_AS: compilers and thread pools reserve address space that they never use.
    """
    try:
        held = int(STATM.read_bytes().split()[5]) * PAGE
    except OSError:
        return None
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    bounds = [held + allowance, *(limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY)]
    resource.setrlimit(resource.RLIMIT_DATA, (min(bounds), hard))
    return soft, hard


def _reset_peak() -> int:
    """Starts the high-water mark of resident memory afresh; returns it [bytes]."""
    with suppress(OSError):  # another system, or a locked-down one: growth of the lifetime's maximum is all there is
        CLEAR_REFS.write_bytes(b"5")
    return _peak()


def _peak() -> int:
    """The high-water mark of this process's resident memory [bytes]."""
    try:
        status = STATUS.read_bytes()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return high_water_mark(status)


def high_water_mark(status: bytes) -> int:
    """Most memory that was ever resident [bytes], of the text of a /proc/PID/status."""
    return status_field(status, b"VmHWM:")


def status_field(status: bytes, name: bytes) -> int:
    """A size [bytes] of the text of a /proc/PID/status; 0 if it has none."""
    start = status.find(name)
    return 0 if start < 0 else int(status[start + len(name) : status.index(b"kB", start)]) * 1024
