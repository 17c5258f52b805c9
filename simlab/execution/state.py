"""What a method may change of the process that it runs in, put back after it: settings, patches, and what it leaves.

A courtesy between honest methods in one process. What cannot be undone here (a closed file, a thread in compiled
code) needs a process of its own: `strict=True`.
"""

from __future__ import annotations

import atexit
import decimal
import gc
import locale
import logging
import os
import random
import resource
import signal
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any
from weakref import WeakSet

import numpy as np

from simlab.execution.limits import raise_in_thread
from simlab.execution.strict.places import in_python

GUARDED = ("simlab", "numpy", "xarray", "math", "random", "time", "json", "builtins", "os", "warnings", "threading")
"""Modules (the house with all of its own) whose attributes a method may not leave replaced."""

PARTS = ("numpy.linalg", "numpy.random", "numpy.fft", "numpy.ma", "numpy._core._methods", "os.path")

LIBRARIES = ("scipy.",)
"""Of their public modules, functions and classes that were replaced are put back, not what they keep for themselves."""

LIMITS = ("AS", "CPU", "FSIZE", "NOFILE", "STACK")
"""Of a process. A method may lower their soft values; the hard ones are its own to spoil."""

SIGNALS = ("SIGINT", "SIGTERM", "SIGCHLD", "SIGUSR1", "SIGUSR2", "SIGHUP", "SIGPIPE")

JOIN = 0.2
"""Seconds that the threads a method left get to end."""

TASKS = Path("/proc/self/task")


def generator(entropy: int) -> np.random.Generator:
    """The method's generator, PCG64(entropy); the global ones are seeded too, so that who uses them is repeatable."""
    random.seed(entropy)
    np.random.seed(entropy % 2**32)  # noqa: NPY002 (for methods that use it)
    return np.random.Generator(np.random.PCG64(entropy))


@contextmanager
def put_back() -> Iterator[None]:
    """Settings and patches made within are undone; threads, exit handlers and children left from within are ended.

    In the main thread only: elsewhere other work goes on beside it, to which these belong as well.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    undo = [*_settings(), _attributes(), _threads(), _exit_handlers(), _children()]
    try:
        yield
    finally:
        for step in undo:
            with suppress(Exception):  # what cannot be put back must not cost the cell
                step()


_ours: WeakSet[threading.Thread] = WeakSet()
"""Threads that the lab started while a method ran."""


@contextmanager
def at_work() -> Iterator[None]:
    """Within this block the lab itself works on a method's behalf: a thread that it starts is none of the method's.

    A storage library's pool, say, whose thread would be ended with the method, and whose next task would never be done.
    """
    before = set(threading.enumerate())
    try:
        yield
    finally:
        _ours.update(set(threading.enumerate()) - before)


Undo = Callable[[], Any]


def _settings() -> Iterator[Undo]:
    yield _restorer(np.geterr(), lambda saved: np.seterr(**saved))
    yield _restorer(np.geterrcall(), np.seterrcall)
    yield _restorer(np.getbufsize(), np.setbufsize)
    yield _restorer(np.get_printoptions(), lambda saved: np.set_printoptions(**saved))
    yield _restorer(random.getstate(), random.setstate)
    yield _restorer(np.random.get_state(), np.random.set_state)  # noqa: NPY002
    yield _restorer(list(warnings.filters), _set_warnings)
    yield _restorer(dict(os.environ), _set_environment)
    with suppress(OSError):
        yield _restorer(os.getcwd(), os.chdir)
    for name in ("path", "meta_path", "argv", "path_hooks"):
        yield _restorer(list(getattr(sys, name)), getattr(sys, name).__setitem__, slice(None))
    for name in ("stdin", "stdout", "stderr", "excepthook", "displayhook", "unraisablehook"):
        yield _restorer(getattr(sys, name), lambda saved, name=name: setattr(sys, name, saved))
    yield _restorer(sys.getrecursionlimit(), sys.setrecursionlimit)
    yield _restorer(sys.getswitchinterval(), sys.setswitchinterval)
    yield _restorer(sys.gettrace(), _set_trace)
    yield _restorer(gc.isenabled(), lambda saved: gc.enable() if saved else gc.disable())
    yield _restorer(decimal.getcontext().copy(), decimal.setcontext)
    yield from _settings_of_libraries()
    yield from _settings_of_process()


def _settings_of_libraries() -> Iterator[Undo]:
    yield _restorer(logging.root.manager.disable, logging.disable)
    yield _restorer(logging.root.level, logging.root.setLevel)
    yield _restorer(list(logging.root.handlers), logging.root.handlers.__setitem__, slice(None))
    yield _restorer(gc.get_threshold(), lambda saved: gc.set_threshold(*saved))
    yield _restorer(list(gc.callbacks), gc.callbacks.__setitem__, slice(None))
    yield _restorer(tempfile.tempdir, lambda saved: setattr(tempfile, "tempdir", saved))
    yield _restorer(locale.setlocale(locale.LC_ALL), lambda saved: locale.setlocale(locale.LC_ALL, saved))
    xarray = sys.modules.get("xarray")
    if xarray is not None:
        yield _restorer(xarray.get_options(), _set_options)
    yield _restorer(dict(sys.modules), _set_modules)


def _settings_of_process() -> Iterator[Undo]:
    mask = os.umask(0o077)
    os.umask(mask)
    yield _restorer(mask, os.umask)
    yield _restorer(sys.getprofile(), sys.setprofile)
    yield _restorer(signal.pthread_sigmask(signal.SIG_BLOCK, ()), signal.pthread_sigmask, signal.SIG_SETMASK)
    if hasattr(os, "sched_getaffinity"):
        yield _restorer(os.sched_getaffinity(0), os.sched_setaffinity, 0)
    for name in LIMITS:
        number = getattr(resource, f"RLIMIT_{name}")
        yield _restorer(resource.getrlimit(number), resource.setrlimit, number)
    for name in SIGNALS:
        number = getattr(signal, name)
        yield _restorer(signal.getsignal(number), lambda saved, number=number: signal.signal(number, saved))


def _restorer(saved: Any, restore: Callable[..., Any], *first: Any) -> Undo:
    return lambda: restore(*first, saved)


def _set_warnings(saved: list[Any]) -> None:
    if list(warnings.filters) != saved:
        warnings.filters[:] = saved  # type: ignore[index]
        warnings._filters_mutated()  # type: ignore[attr-defined]


def _set_trace(saved: Any) -> None:
    if sys.gettrace() is not saved:
        sys.settrace(saved)


def _set_environment(saved: dict[str, str]) -> None:
    if dict(os.environ) != saved:
        os.environ.clear()
        os.environ.update(saved)


def _set_options(saved: Mapping[str, Any]) -> None:
    xarray = sys.modules["xarray"]
    xarray.set_options(**{name: value for name, value in saved.items() if xarray.get_options()[name] != value})


def _set_modules(saved: dict[str, Any]) -> None:
    """Puts back modules that were removed or replaced; new ones stay loaded."""
    for name, module in saved.items():
        if sys.modules.get(name) is not module:
            sys.modules[name] = module


_held: dict[int, tuple[Any, dict[str, Any]]] = {}
"""Each guarded module and class, by its id, and what it held when it was last looked at."""


def _attributes() -> Undo:
    """Notes what the guarded modules and the house's classes hold; gives what puts changed ones back."""
    for owner in _owners(len(sys.modules)):
        held = _held.get(id(owner))
        if held is None or not _unchanged(owner, held[1]):
            _held[id(owner)] = (owner, dict(vars(owner)))

    def repair() -> None:
        for owner, before in _held.values():
            if not _unchanged(owner, before):
                _repair(owner, before)

    return repair


@lru_cache(maxsize=1)
def _owners(n_modules: int) -> tuple[Any, ...]:
    """The guarded modules and classes, while so many modules are loaded."""
    found: list[Any] = []
    for name, module in list(sys.modules.items()):
        if name.startswith("simlab.") or name in GUARDED or name in PARTS or _is_public(name):
            found.append(module)
            if name.startswith("simlab."):
                found += [v for v in vars(module).values() if isinstance(v, type) and v.__module__ == name]
    xarray = sys.modules.get("xarray")
    return (*found, *((xarray.Dataset, xarray.DataArray) if xarray is not None else ()))


def _is_public(name: str) -> bool:
    """Whether this is a module that users of a library call by name: looking at all of them takes too long."""
    return name.startswith(LIBRARIES) and name.count(".") == 1 and "._" not in name


def _unchanged(owner: Any, before: dict[str, Any]) -> bool:
    try:
        return bool(vars(owner) == before)
    except Exception:  # other objects than before, that cannot be compared
        return False


def _repair(owner: Any, before: dict[str, Any]) -> None:
    now, own = vars(owner), not str(getattr(owner, "__name__", "")).startswith(LIBRARIES)
    for name, value in before.items():
        if now.get(name, before) is not value and name not in ("__dict__", "__weakref__") and (own or callable(value)):
            with suppress(AttributeError, TypeError):
                setattr(owner, name, value)
    for name in set(now) - set(before) if isinstance(owner, type) else ():  # hides what the class inherits
        with suppress(AttributeError, TypeError):
            delattr(owner, name)


def _threads() -> Undo:
    before = set(threading.enumerate())

    def end() -> None:
        for thread in set(threading.enumerate()) - before - set(_ours):
            if thread.ident is not None:
                raise_in_thread(thread.ident, SystemExit)
                thread.join(JOIN)

    return end


def _exit_handlers() -> Undo:
    """Notes what registers itself to run at the end of the process; what is no library's own is struck off again."""
    register, added = atexit.register, []

    def noted(handler: Any, *args: Any, **kwargs: Any) -> Any:
        added.append(handler)
        return register(handler, *args, **kwargs)

    atexit.register = noted  # type: ignore[assignment]

    def strike_off() -> None:
        atexit.register = register
        for handler in added:
            home = getattr(sys.modules.get(getattr(handler, "__module__", None) or ""), "__file__", None)
            if home is None or not in_python(home):
                atexit.unregister(handler)

    return strike_off


def _children() -> Undo:
    before = _pids()

    def end() -> None:
        for pid in _pids() - before:
            _end_tree(pid)

    return end


def _pids() -> set[int]:
    """The children of this process (Linux; elsewhere none are known)."""
    found: set[int] = set()
    for task in TASKS.iterdir() if TASKS.is_dir() else ():
        with suppress(OSError):
            found |= set(map(int, (task / "children").read_bytes().split()))
    return found


def _end_tree(pid: int) -> None:
    import psutil

    with suppress(psutil.Error, OSError):
        process = psutil.Process(pid)
        if "resource_tracker" in " ".join(process.cmdline()):  # multiprocessing's own, which it needs
            return
        for one in (process, *process.children(recursive=True)):
            with suppress(psutil.Error):
                one.kill()
        os.waitpid(pid, 0)
