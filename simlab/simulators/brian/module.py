"""Brian2 itself.

It is imported here and nowhere else, so that its side effects (signal handler, log file, warnings) are met once.
"""

from __future__ import annotations

import logging
import signal
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

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
def generating(target: str, seed: int = 0) -> Iterator[None]:
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
        finally:
            b.prefs.codegen.target = before


@contextmanager
def interpreting() -> Iterator[None]:
    """Within this block Brian2 interprets: for work done once, such as connecting, that no compilation repays."""
    b = brian()
    before = b.prefs.codegen.target
    b.prefs.codegen.target = "numpy"
    try:
        yield
    finally:
        b.prefs.codegen.target = before
