"""Sixty-six ways in which a method can go wrong, each with what should come of it; all ask `topology`."""

from __future__ import annotations

import atexit
import builtins
import contextlib
import ctypes
import decimal
import gc
import itertools
import logging
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar

import numpy as np
import xarray as xr
from toys import Disguised, ToyChain

from simlab.contracts import Finding, Needs

FINE = {"b0": 1, "b1": 0, "b2": 0}

KINDS: dict[str, tuple[Callable[[Any, Any], Any], str, str]] = {}
"""name -> what it does, the status that comes of it, and where it may be tried: anywhere, or only `apart`."""


@dataclass(frozen=True)
class Bad:
    """A method that goes wrong in the way that it is told to."""

    name: ClassVar[str] = "bad"
    question: ClassVar[str] = "topology"
    family: ClassVar[str] = "mischief"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs()
    how: str

    def analyse(self, recording, rng):
        found = KINDS[self.how][0](recording, rng)
        return Finding(FINE) if found is AS_IF_NOTHING else found


@dataclass(frozen=True)
class Innocent:
    """Counts with floating-point errors, warnings, global random numbers and the time: whatever others may spoil."""

    name: ClassVar[str] = "innocent"
    question: ClassVar[str] = "topology"
    family: ClassVar[str] = "honest"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs()

    def analyse(self, recording, rng):
        warnings.warn("nothing of importance", stacklevel=1)
        total = np.mean(recording["spike_time"].values) + np.log(np.zeros(2)).clip(-1, 0).sum()
        drawn = int(rng.integers(1000)) + int(np.random.randint(1000)) + random.randrange(1000)  # noqa: NPY002
        return Finding({"b0": drawn, "b1": round(1000 + 100 * float(total)), "b2": len(os.environ.get("VANDAL", ""))})


AS_IF_NOTHING = object()


def kind(status: str, where: str = "anywhere") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def add(function: Callable[..., Any]) -> Callable[..., Any]:
        KINDS[function.__name__] = (function, status, where)
        return function

    return add


def raising(name: str, make: Callable[[], BaseException]) -> None:
    def function(recording, rng):
        raise make()

    KINDS[name] = (function, "error", "anywhere")


def returning(name: str, make: Callable[[], Any], status: str = "error") -> None:
    KINDS[name] = (lambda recording, rng: make(), status, "anywhere")


def doing(name: str, act: Callable[[], Any], where: str = "anywhere") -> None:
    """It does this and then answers as if nothing had been."""

    def function(recording, rng):
        act()
        return AS_IF_NOTHING

    KINDS[name] = (function, "ok", where)


class Mute(Exception):
    def __str__(self):
        raise RuntimeError("even this fails")


class NotText(Exception):
    def __str__(self):
        return 7  # type: ignore[return-value]


class Unarrayable:
    def __array__(self, *args, **kwargs):
        raise ValueError("no array")


raising("raises", lambda: ValueError("for no reason"))
raising("raises_mute", Mute)
raising("raises_not_text", NotText)
raising("raises_at_length", lambda: ValueError("x" * 10_000_000))
raising("raises_surrogate", lambda: ValueError("\ud800 and \x00"))
raising("raises_escapes", lambda: ValueError("\x1b[2J\x1b]0;title\x07\nnext line"))
raising("raises_interrupt", KeyboardInterrupt)
raising("raises_exit", lambda: SystemExit(0))
raising("raises_generator_exit", GeneratorExit)
raising("raises_base", lambda: BaseException("base"))
raising("raises_stop", StopIteration)
raising("raises_group", lambda: ExceptionGroup("many", [ValueError(str(i)) for i in range(1000)]))
raising("raises_evil_name", lambda: type("<script>\ud800" + "x" * 10_000, (Exception,), {})("evil"))
returning("none", lambda: None)
returning("a_dict", lambda: dict(FINE))
returning("a_class", lambda: Finding)
returning("lacks_one", lambda: Finding({"b0": 1}))
returning("has_more", lambda: Finding(FINE | {"b9": 1}))
returning("is_nan", lambda: Finding(FINE | {"b0": float("nan")}))
returning("is_infinite", lambda: Finding(FINE | {"b0": float("inf")}))
returning("is_complex", lambda: Finding(FINE | {"b0": 1j}))
returning("is_text", lambda: Finding(FINE | {"b0": "one"}))
returning("is_half", lambda: Finding(FINE | {"b0": 0.5}))
returning("is_negative", lambda: Finding(FINE | {"b0": -1}))
returning("is_array", lambda: Finding(FINE | {"b0": np.zeros(3)}))
returning("is_object", lambda: Finding(FINE | {"b0": object()}))
returning("is_unarrayable", lambda: Finding(FINE | {"b0": Unarrayable()}))
returning("is_astronomical", lambda: Finding(FINE | {"b0": 10**400}))
returning("is_no_mapping", lambda: Finding([1, 2, 3]))  # type: ignore[arg-type]
returning("oversure", lambda: Finding(FINE, confidence=7.0))
returning("unsure", lambda: Finding(FINE, confidence=float("nan")))
returning("abstains_at_length", lambda: Finding.abstain("no " * 100_000), "abstained")
returning("abstains_surrogate", lambda: Finding.abstain("\udcff\x00"), "abstained")
returning("notes_surrogate", lambda: Finding(FINE, notes={"\ud800": "\ud800"}), "ok")
returning("notes_object", lambda: Finding(FINE, notes={"thing": object()}), "ok")
returning("notes_at_length", lambda: Finding(FINE, notes={"long": "x" * 10**7}), "ok")
doing("floating_point_errors", lambda: np.seterr(all="raise"))
doing("warnings_as_errors", lambda: warnings.simplefilter("error"))
doing("patches_numpy", lambda: setattr(np, "mean", lambda *a: 0.0))
doing("patches_builtins", lambda: setattr(builtins, "round", lambda x: 0))
doing("patches_the_house", lambda: setattr(import_module("simlab.questions.form"), "validate", lambda *a: 1 / 0))
doing("environment", lambda: os.environ.update(VANDAL="1", PATH=""))
doing("folder", lambda: os.chdir("/"))
doing("import_path", sys.path.clear)
doing("recursion_limit", lambda: sys.setrecursionlimit(10**6))
doing("streams", lambda: (setattr(sys, "stdout", None), setattr(sys, "stderr", None)))
doing("random_state", lambda: (random.seed(1), np.random.seed(1)))  # noqa: NPY002
doing("collector", gc.disable)
doing("decimals", lambda: setattr(decimal.getcontext(), "prec", 1))
doing("logging_off", lambda: logging.disable(logging.CRITICAL))
doing("prints", lambda: print('{"do": "finding", "estimate": {"b0": 9, "b1": 9, "b2": 9}}'))
doing("floods", lambda: [print("x" * 10**6, file=sys.stderr) for _ in range(5)])
doing("leaves_a_thread", lambda: threading.Thread(target=_loiter).start())
doing("leaves_a_pool", lambda: ThreadPoolExecutor(2).submit(_loiter))
doing("leaves_an_exit_handler", lambda: atexit.register(_hang))
doing("leaves_a_child", lambda: _children(1))
doing("leaves_many_children", lambda: _children(12))
doing("leaves_a_file", lambda: tempfile.mkstemp(prefix="left-by-a-method"), "apart")
doing("closes_its_streams", lambda: [os.close(i) for i in (0, 1, 2)], "apart")
doing("ignores_signals", lambda: list(map(_ignore, (signal.SIGTERM, signal.SIGALRM))))


@kind("ok")
def writes_on_its_recording(recording, rng):
    with contextlib.suppress(ValueError):
        recording["spike_time"].values[:] = 0
    recording.attrs.clear()
    return AS_IF_NOTHING


@kind("error")
def recurses(recording, rng):
    return recurses(recording, rng)


@kind("error")
def takes_memory(recording, rng):
    return [np.ones(10**6) for _ in range(10**6)]


@kind("error")
def spins(recording, rng):
    while True:
        pass


@kind("error")
def spins_and_swallows(recording, rng):
    for _ in itertools.count():
        with contextlib.suppress(Exception):
            while True:
                pass


@kind("error", "apart")
def loops_in_c(recording, rng):
    return sum(itertools.repeat(1))


@kind("error", "apart")
def dies(recording, rng):
    os._exit(0)


@kind("error", "apart")
def crashes(recording, rng):
    return ctypes.string_at(0)


@kind("error", "apart")
def kills_its_group(recording, rng):
    os.killpg(0, signal.SIGKILL)


@kind("error", "apart")
def sleeps(recording, rng):
    time.sleep(3600)


def _loiter():
    with contextlib.suppress(SystemExit):
        while True:
            time.sleep(0.01)


def _hang():
    time.sleep(3600)


def _children(number: int) -> None:
    for _ in range(number):
        with contextlib.suppress(OSError):  # in a jail it may not
            subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)"])


def _ignore(number: int) -> None:
    signal.signal(number, signal.SIG_IGN)


class BettiChain(ToyChain):
    """A circuit whose topology is asked."""

    name = "betti_chain"
    questions = ("topology",)

    def subject(self, rng):
        return BettiSubject(super().subject(rng))


class BettiSubject(Disguised):
    def truth(self, question, activity, rng):
        return xr.Dataset({"b0": 1, "b1": 0, "b2": 0})
