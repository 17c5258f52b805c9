"""Brian2 itself, and which of its code generation targets should run a network.

Brian2 is imported here and nowhere else, so that its side effects (signal handler, log file, warnings) are met once.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

TARGETS = ("auto", "numpy", "cython", "cpp_standalone")

COMPILE_SECONDS = 25.0
"""What a cold Cython compilation of one network takes (measured: 12 to 45 s); with the cache warm, LOAD_SECONDS."""

LOAD_SECONDS = 0.5

BUILD_SECONDS = 25.0
"""What a C++ standalone project takes to build (measured: 15 to 30 s); sizes and the seed are in its code."""

STEP_SECONDS = {"numpy": (65e-6, 24e-9), "cython": (30e-6, 19e-9), "cpp_standalone": (3e-6, 32e-9)}
"""Seconds per step, and per step and neuron, noise included: fitted to 1 to 200 trials of 100 LIF neurons with 10%
connections on one core (tests/benchmarks). Noise is half of either, so that compiling gains a third, not tenfold."""

_lock = threading.RLock()


@cache
def brian() -> Any:
    """The brian2 module, imported without its signal handler (so in any thread), its log file and its warnings."""
    handler = signal.signal
    signal.signal = lambda *_: None  # type: ignore[assignment]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import brian2
    finally:
        signal.signal = handler
    _leave_no_files(brian2)
    logging.getLogger("brian2").setLevel(logging.ERROR)
    brian2.prefs.codegen.runtime.cython.multiprocess_safe = True
    return brian2


def _leave_no_files(brian2: Any) -> None:
    """Removes the log and the copy of the script that its import has made: a killed process would leave them."""
    logger = brian2.BrianLogger
    brian2.prefs.logging.file_log = brian2.prefs.logging.save_script = False
    if logger.file_handler is not None:
        logging.getLogger("brian2").removeHandler(logger.file_handler)
        logger.file_handler.close()
    for file in (logger.tmp_log, logger.tmp_script):
        if file is not None:
            Path(file).unlink(missing_ok=True)
    logger.file_handler = logger.tmp_log = logger.tmp_script = None


def engine_name(target: str) -> str:
    """For provenance: `brian2 2.9.0 numpy`."""
    return f"brian2 {brian().__version__} {target}"


_forgone: dict[tuple[str, ...], float] = {}
"""Seconds that this process could have saved so far, by signature, had it compiled at once."""


def choose_target(signature: tuple[str, ...], n_cells: int, steps: int, standalone: bool = False) -> str:
    """The target that should end sooner: cells = trials x neurons at once; compilation counts unless it is cached.

    Interpreted runs of one signature add up: it is compiled once the time that this would have saved so far pays for
    a compilation, so that many short sessions are never much slower than the better of the two would have been.
    `standalone`: whether C++ standalone is possible. It draws other numbers than the rest, so its choice depends on
    the work alone, never on what has been compiled before: a long run of few neurons, where it saves the overhead of
    Python around each step.
    """
    seconds = {name: steps * (fixed + each * n_cells) for name, (fixed, each) in STEP_SECONDS.items()}
    if not _has_compiler():
        return "numpy"
    if standalone and seconds["cpp_standalone"] + BUILD_SECONDS < min(seconds["numpy"], seconds["cython"]):
        return "cpp_standalone"
    saved = seconds["numpy"] - seconds["cython"]
    if is_compiled(signature):
        return "cython" if saved > LOAD_SECONDS else "numpy"
    _forgone[signature] = _forgone.get(signature, 0.0) + saved
    return "cython" if _forgone[signature] > COMPILE_SECONDS else "numpy"


def _has_compiler() -> bool:
    return any(shutil.which(name) for name in (os.environ.get("CXX", "c++"), os.environ.get("CC", "cc"), "cl"))


def cache_folder() -> Path:
    """Where Brian2 keeps compiled code."""
    brian()
    from brian2.codegen.runtime.cython_rt.extension_manager import get_cython_cache_dir

    return Path(get_cython_cache_dir()).expanduser()


def _marker(signature: tuple[str, ...]) -> Path:
    """A file in Brian2's cache that says that this code has been compiled; it goes when the cache is cleared."""
    from Cython import __version__ as cython_version

    tools = (sys.version, sys.executable, cython_version, np.__version__, brian().__version__)
    compilers = (os.environ.get("CC", ""), os.environ.get("CXX", ""))
    text = "\0".join((*signature, *tools, *compilers))
    return cache_folder() / f"simlab_{hashlib.sha256(text.encode()).hexdigest()[:32]}.lock"


def is_compiled(signature: tuple[str, ...]) -> bool:
    """Whether Brian2's cache holds the compiled code of a network with this signature."""
    return _marker(signature).exists()


@contextmanager
def alone() -> Iterator[None]:
    """Within this block no other thread uses Brian2, its warnings are held back, numpy's global state is lent."""
    with _lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        state = np.random.get_state()  # noqa: NPY002
        try:
            yield
        finally:
            np.random.set_state(state)  # noqa: NPY002


@contextmanager
def compiling(target: str, signature: tuple[str, ...], seed: int) -> Iterator[None]:
    """Within this block, alone, Brian2 generates code for `target`.

    `seed` serves equations that draw their own numbers (`rand()`, `xi`).
    """
    b = brian()
    with alone():
        before = b.prefs.codegen.target
        b.prefs.codegen.target = target
        try:
            b.seed(seed)
            yield
            if target == "cython":
                _marker(signature).touch()
        finally:
            b.prefs.codegen.target = before


@contextmanager
def without_compiling() -> Iterator[None]:
    """Within this block Brian2 interprets: for work done once, such as connecting, that no compilation repays."""
    b = brian()
    before = b.prefs.codegen.target
    b.prefs.codegen.target = "numpy"
    try:
        yield
    finally:
        b.prefs.codegen.target = before
