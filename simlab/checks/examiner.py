"""The report of a check, and the examiner that fills it in."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from simlab.contracts import SimlabError

Value = TypeVar("Value")


@dataclass(frozen=True)
class Entry:
    """One fact that was checked."""

    fact: str
    passed: bool
    message: str = ""  # why not, or what was seen


@dataclass(frozen=True, repr=False)
class Report:
    """What a check of one plug-in found."""

    plugin: str
    kind: str
    entries: tuple[Entry, ...]

    @property
    def ok(self) -> bool:
        """Whether every fact holds."""
        return all(entry.passed for entry in self.entries)

    @property
    def failures(self) -> tuple[Entry, ...]:
        """The facts that do not."""
        return tuple(entry for entry in self.entries if not entry.passed)

    def __str__(self) -> str:
        passed = len(self.entries) - len(self.failures)
        lines = [f"{self.kind[:-1]} {self.plugin}: {passed} of {len(self.entries)} checks passed"]
        for entry in self.entries:
            detail = f": {entry.message}" if entry.message else ""
            lines.append(f"  {'ok  ' if entry.passed else 'FAIL'}  {entry.fact}{detail}")
        return "\n".join(lines)

    __repr__ = __str__  # what a notebook shows


class Examiner:
    """Collects facts: a test that ends without an exception has passed."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def holds(self, fact: str, test: Callable[[], Value]) -> Value | None:
        """What `test` returns, None if it failed; either way the fact is noted."""
        try:
            value = test()
        except (SimlabError, AssertionError) as problem:
            self.entries.append(Entry(fact, False, str(problem)))
            return None
        except Exception as problem:
            where = traceback.extract_tb(problem.__traceback__)[-1]
            place = f"{where.filename}:{where.lineno}"
            self.entries.append(Entry(fact, False, f"{type(problem).__name__}: {problem} ({place})"))
            return None
        self.entries.append(Entry(fact, True, value if isinstance(value, str) else ""))
        return value


def require(rule: bool, message: str) -> None:
    """Fails the fact that is being tested, with the reason and the fix."""
    if not rule:
        raise SimlabError(message)
