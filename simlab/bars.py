"""Bars that show how far a run is: on a terminal, in a notebook, and as a plain line now and then anywhere else."""

from __future__ import annotations

import html
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from simlab.progress import listening

Progress = Callable[[int, int, dict[str, Any]], None]
"""Told after each cell: cells finished, cells in all, and the cell's row."""

Step = Callable[[int, int, str], None]
"""Draws how much of how much is done, and what was the last of it."""

PAUSE = 30.0
"""Where there is no bar, a plain line comes at most once in this time [s], so that a short run prints none."""

SILENCE = 600.0
"""And at least once in this time [s]; in between, at every tenth of the run."""

REDRAW = 0.2
"""A notebook's bar is drawn anew at most once in this time [s]: every drawing is a message to the browser."""


@contextmanager
def progress_bar(wanted: Progress | bool | None = None) -> Iterator[Progress | None]:
    """What a run calls after each cell. wanted: as for `simlab.run`; a callable is passed on as it is."""
    if wanted is False or callable(wanted):
        yield wanted or None
        return
    with _bar("cells", 0.0 if wanted else PAUSE, Clock()) as step:
        yield lambda done, total, row: step(done, total, f"{row['circuit']} / {row['instrument']} / {row['method']}")


@contextmanager
def simulation_bar() -> Iterator[None]:
    """The same for one long simulation: hears what `simlab.progress.report` says within this block."""
    with (
        _bar("percent", PAUSE, Clock(first=0)) as step,
        listening(lambda done, what: step(round(100 * done), 100, what)),
    ):
        yield


def _bar(unit: str, pause: float, clock: Clock) -> AbstractContextManager[Step]:
    if in_notebook():
        return _notebook_bar(unit, clock)
    return _terminal_bar() if sys.stderr.isatty() else _lines(unit, pause, clock)


def in_notebook() -> bool:
    """Whether this runs in the kernel of a notebook, which shows rich output."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None


@contextmanager
def _terminal_bar() -> Iterator[Step]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with RichProgress(*columns, console=console, transient=True, speed_estimate_period=3600) as bar:
        task = bar.add_task("starting", total=None)
        yield lambda done, total, what: bar.update(task, completed=done, total=total, description=what[:60])


@contextmanager
def _notebook_bar(unit: str, clock: Clock) -> Iterator[Step]:
    """One display that is redrawn in its place. (Rich and tqdm need ipywidgets for this, which few have installed.)"""
    from IPython.display import HTML, display

    shown, drawn = "", 0.0
    place = display(HTML("starting"), display_id=True)

    def step(done: int, total: int, what: str) -> None:
        nonlocal shown, drawn
        left, shown = clock.left(done, total), f"{done} of {total} {unit}"
        if time.monotonic() - drawn >= REDRAW:
            drawn = time.monotonic()
            bar = f'<progress max="{total}" value="{done}" style="width:40ex"></progress>'
            place.update(HTML(f"{bar} {shown}{left}: {html.escape(what[:60])}"))

    try:
        yield step
    finally:
        place.update(HTML(f"{shown} in {in_words(clock.passed())}" if shown else "nothing was run"))


@contextmanager
def _lines(unit: str, pause: float, clock: Clock) -> Iterator[Step]:
    spoke, said = time.monotonic(), 0

    def step(done: int, total: int, what: str) -> None:
        nonlocal spoke, said
        tenth, silent, left = 10 * done // total, time.monotonic() - spoke, clock.left(done, total)
        if silent >= pause and (tenth > said or silent >= SILENCE):
            spoke, said = time.monotonic(), tenth
            print(f"{done} of {total} {unit}{left}", file=sys.stderr, flush=True)

    yield step


@dataclass
class Clock:
    """How long the rest takes, from what was done since the first step (a run that goes on begins in its middle)."""

    began: float = field(default_factory=lambda: time.monotonic())
    first: int | None = None

    def passed(self) -> float:
        """Time since the start [s]."""
        return time.monotonic() - self.began

    def left(self, done: int, total: int) -> str:
        """The remaining time in words, with a comma in front; nothing at the end."""
        self.first = done - 1 if self.first is None else self.first
        if done >= total or done <= self.first:
            return ""
        return f", about {in_words(self.passed() * (total - done) / (done - self.first))} left"


def in_words(seconds: float) -> str:
    """Seconds in the unit that suits their size."""
    for limit, size, unit in ((120, 1, "s"), (7200, 60, "min")):
        if seconds < limit:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds / 3600:.1f} h"
