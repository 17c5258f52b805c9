"""A method that is a program in any language, speaking the protocol of docs/protocol.md."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from simlab.contracts import Finding, SimlabError


@dataclass(frozen=True)
class ExternalMethod:
    """Runs `command` in a locked-down process of its own, whether or not strict execution is asked for.

    Raises SimlabError if the command is empty.
    """

    name: str
    question: str
    command: tuple[str, ...]  # program and arguments; those that are files or folders become readable to it
    active: bool = False  # gets a rig rather than a recording
    reads: tuple[str, ...] = ()  # further files and folders that it may read: its language's packages, say
    network: bool = False  # may open sockets, as a licence server or a hosted agent needs; no longer blind by force
    digest: str = field(default="", repr=False)  # of the command's files: a changed program is another method

    def __post_init__(self) -> None:
        if not self.command or isinstance(self.command, str):
            raise SimlabError(f"command must be a tuple of a program and its arguments, got {self.command!r}")
        object.__setattr__(self, "command", tuple(_absolute(part) for part in self.command))
        object.__setattr__(self, "reads", tuple(os.path.abspath(path) for path in self.reads))
        if not self.digest:
            object.__setattr__(self, "digest", _digest(self.command))

    def __getattr__(self, attribute: str) -> Callable[[Any, np.random.Generator], Finding]:
        # a method is told to be passive or active by which of the two it has
        if attribute == ("investigate" if self.__dict__.get("active") else "analyse"):
            return self._ask
        raise AttributeError(f"{type(self).__name__!r} has no attribute {attribute!r}")

    def _ask(self, material: Any, rng: np.random.Generator) -> Finding:
        from simlab.execution.execute import execute

        entropy = int(rng.integers(2**63))
        outcome = execute(self, material, entropy=entropy, time_limit=600.0, memory_limit=4 * 2**30)
        if outcome.finding is None:
            raise SimlabError(f"{self.name} gave no finding: {outcome.error}\n{outcome.traceback}")
        return outcome.finding


def _absolute(part: str) -> str:
    """A part of the command, made absolute where it is a file or folder here: the program starts elsewhere."""
    return os.path.abspath(part) if os.path.exists(part) else part


def _digest(command: tuple[str, ...]) -> str:
    digest = hashlib.sha256()
    for part in command:
        if os.path.isfile(part):
            with open(part, "rb") as file:
                digest.update(file.read())
    return digest.hexdigest()[:16]
