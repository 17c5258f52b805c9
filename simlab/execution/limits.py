"""Time and memory limits on a method that runs in this process, and what it used.

Time is processor time, so that a busy machine gives the rows that a quiet one gives. The limits are best effort: a
signal interrupts Python code, not a loop in C. `last_resort` ends the whole process then, so it is for worker
processes, whose owner runs the lost cell again in a process of its own (`strict=True`).
"""

from __future__ import annotations

import ctypes
import faulthandler
import math
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, TypeVar

REPEAT = 0.5
"""A method that swallows the interruption is interrupted again every so many seconds."""

WALL_FACTOR, WALL_SLACK = 10.0, 10.0
"""Processor time decides; the wall clock, at so many time limits and so many seconds more, only guards against a method
that sleeps, however busy the machine is."""

LAST_RESORT_AFTER, LAST_RESORT_GRACE = 2.0, 5.0
"""The last resort comes after this many time limits of processor time, and at least so many seconds after the limit."""

PAGE = resource.getpagesize()
STATM, STATUS, CLEAR_REFS = (Path("/proc/self") / name for name in ("statm", "status", "clear_refs"))


T = TypeVar("T")


class TimeIsUp(BaseException):
    """Raised inside a method at its time limit; no `Exception`, so that `except Exception` does not swallow it."""


def wall_limit(seconds: float) -> float:
    """How long [s] on the wall clock a method may take that has so many seconds of processor time."""
    return WALL_FACTOR * seconds + WALL_SLACK


class Guard:
    """A context in which the time and memory limits hold; afterwards `seconds` and `peak_memory` say what was used.

    In any thread but the main one memory has no limit: the kernel knows none for a thread.

    time_limit [s of processor time]; memory_limit [bytes], beyond what the process holds at the start. `peak_memory`
    resets the kernel's high-water mark of this process (Linux); elsewhere it is what `ru_maxrss` grew by.
    """

    def __init__(self, time_limit: float, memory_limit: int, last_resort: bool = False) -> None:
        self.time_limit, self.memory_limit, self.last_resort = time_limit, memory_limit, last_resort
        self.seconds, self.peak_memory = 0.0, 0
        self.user_interrupted = False
        self._armed = self._released = False
        self._main = threading.current_thread() is threading.main_thread()
        self._alarm: _Signals | _Watcher = _Signals(self) if self._main else _Watcher(self)

    def __enter__(self) -> Guard:
        self._alarm.take()
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
        self._alarm.give_back()
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

    @property
    def armed(self) -> bool:
        """Whether the limits hold at this moment."""
        return self._armed

    def _arm(self) -> None:
        self._started = self._alarm.used()
        left = max(self.time_limit - self.seconds, 5e-3)
        self._limits = _limit_memory(self.memory_limit) if self._main else None  # of the process, so of all threads
        self._armed = True
        if self.last_resort:
            self._processor = _end_process_after(max(LAST_RESORT_AFTER * left, left + LAST_RESORT_GRACE))
            faulthandler.dump_traceback_later(wall_limit(left) + LAST_RESORT_GRACE, exit=True)
        self._alarm.start(left)

    def _disarm(self) -> None:
        self._armed = False
        self._alarm.stop()
        if self.last_resort:
            faulthandler.cancel_dump_traceback_later()
            faulthandler.unregister(signal.SIGXCPU)
            resource.setrlimit(resource.RLIMIT_CPU, self._processor)
        if self._limits is not None:
            resource.setrlimit(resource.RLIMIT_DATA, self._limits)
        self.seconds += self._alarm.used() - self._started


class _Signals:
    """Alarms of the main thread: one on the processor time of this process, one on the wall clock."""

    TIMERS = ((signal.SIGPROF, signal.ITIMER_PROF), (signal.SIGALRM, signal.ITIMER_REAL))

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    def used(self) -> float:
        """Processor time [s] of this process."""
        return time.process_time()

    def start(self, left: float) -> None:
        """Interrupts after so much processor time [s], or the wall clock's share of it."""
        for (_, timer), seconds in zip(self.TIMERS, (left, wall_limit(left)), strict=True):
            signal.setitimer(timer, seconds, REPEAT)

    def stop(self) -> None:
        """No interruption from here on."""
        for _, timer in self.TIMERS:
            signal.setitimer(timer, 0)

    def take(self) -> None:
        """Takes the alarms over from whoever has them."""
        self._taken_at = time.perf_counter()
        self._handlers = [signal.signal(number, self._on_alarm) for number, _ in self.TIMERS]
        self._timers = [signal.setitimer(timer, 0) for _, timer in self.TIMERS]
        self._interrupt = signal.getsignal(signal.SIGINT)
        if callable(self._interrupt):
            signal.signal(signal.SIGINT, self._on_interrupt)

    def give_back(self) -> None:
        """Gives them back as they were, less the time that has passed."""
        passed = time.perf_counter() - self._taken_at
        for (number, timer), handler, (left, interval) in zip(self.TIMERS, self._handlers, self._timers, strict=True):
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
            if left:
                signal.setitimer(timer, max(left - passed, 1e-3), interval)
        if callable(self._interrupt):
            signal.signal(signal.SIGINT, self._interrupt)

    def _on_alarm(self, number: int, frame: FrameType | None) -> None:
        if self._guard.armed:
            raise TimeIsUp

    def _on_interrupt(self, number: int, frame: FrameType | None) -> None:
        self._guard.user_interrupted = True
        if callable(self._interrupt):
            self._interrupt(number, frame)


class _Watcher:
    """The same for any other thread, which no signal reaches: a second thread looks at its processor time."""

    LOOK = 0.05
    """Seconds between looks."""

    def __init__(self, guard: Guard) -> None:
        self._guard, self._thread = guard, threading.get_ident()
        self._clock = time.pthread_getcpuclockid(self._thread)

    def used(self) -> float:
        """Processor time [s] of the thread."""
        return time.clock_gettime(self._clock)

    def start(self, left: float) -> None:
        """Interrupts after so much processor time [s], or the wall clock's share of it."""
        self._stopped = threading.Event()
        bounds = self.used() + left, time.perf_counter() + wall_limit(left)
        threading.Thread(target=self._watch, args=(self._stopped, *bounds), daemon=True).start()

    def _watch(self, stopped: threading.Event, processor: float, wall: float) -> None:
        pause = self.LOOK
        while not stopped.wait(pause):
            if self.used() > processor or time.perf_counter() > wall:
                raise_in_thread(self._thread, TimeIsUp)
                pause = REPEAT

    def stop(self) -> None:
        """No interruption from here on."""
        self._stopped.set()
        raise_in_thread(self._thread, None)

    def take(self) -> None:
        """Nothing is shared with anybody."""

    def give_back(self) -> None:
        """Nothing was taken."""


def _end_process_after(seconds: float) -> tuple[int, int]:
    """Lets the kernel end this process after so much more processor time; returns the limits before."""
    before = resource.getrlimit(resource.RLIMIT_CPU)
    faulthandler.register(signal.SIGXCPU, chain=True)
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(time.process_time() + seconds), before[1]))
    return before


def within(guard: Guard, work: Callable[[], T], late: Callable[[TimeIsUp], T]) -> T:
    """What `work` returns under the guard's limits, or what `late` makes of its running out of time."""
    try:
        with guard:
            return work()
    except TimeIsUp as up:
        return late(up)
    finally:
        guard.release()


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


def raise_in_thread(thread: int, error: Any) -> None:
    """Has a thread meet an exception at its next step in Python; None takes back one that it has not met yet."""
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
    """A size [bytes] of the text of a /proc/PID/status; 0 if it has none.

    Only at the start of a line: a process may give itself a name that looks like a field.
    """
    start = status.find(b"\n" + name)
    return 0 if start < 0 else int(status[start + 1 + len(name) : status.index(b"kB", start)]) * 1024
