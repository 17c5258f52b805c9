"""What a method's process may ask of the lab, and what it is told: the requests of docs/protocol.md."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from simlab.contracts import Budget, BudgetExceeded, HouseFault, SimlabError
from simlab.execution.strict.seal import seal_into
from simlab.rules.received import fields, finite, shown, whole
from simlab.session import Session

LONGEST_REQUEST = 16 * 2**20
"""Bytes of a line that asks for something: a stimulus of some 800,000 values."""

LONGEST_FINDING = 64 * 2**20
"""Bytes of a line of a passive method, which asks for nothing: an estimate of some three million numbers."""

BYTES_PER_PAIR = 128
"""Of a finding, for what it says of each pair of units, beyond these."""

MOST_LISTS = 2_000_000
"""Lists and objects in one line: an empty one is two bytes long and takes 64 in the lab's memory."""

DEEPEST = 900
"""Levels of lists and objects in one another: the parsers of some Pythons take thousands, which nothing else could."""

MOST_PROPOSALS = 10_000
"""Natural sessions given out to one method: they cost it nothing, and the lab's time is not counted against it."""


def longest_line(n_units: int, *, active: bool) -> int:
    """How many bytes a line of a method's process may have: its requests and its finding come the same way."""
    return (LONGEST_REQUEST if active else LONGEST_FINDING) + BYTES_PER_PAIR * n_units**2


def parsed(line: bytes) -> dict[str, Any]:
    """A line as the JSON object that it must be; raises ValueError for anything else."""
    n_lists = line.count(b"[") + line.count(b"{")
    if n_lists > MOST_LISTS:
        raise ValueError(f"a line has at most {MOST_LISTS} lists and objects, got {n_lists}")
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"every line must be a JSON object, got {line[:80]!r} ({error})") from error
    if not isinstance(message, dict):
        raise ValueError(f"every line must be a JSON object, got {line[:80]!r}")
    if n_lists > DEEPEST and _deeper(message, DEEPEST):
        raise ValueError(f"every line must be a JSON object of at most {DEEPEST} levels, got {line[:80]!r}")
    return message


def _deeper(message: Any, levels: int) -> bool:
    """Whether lists and objects lie in one another to more than so many levels; found without recursion."""
    inner = [message]
    for _ in range(levels):
        inner = [part for outer in inner for part in (outer.values() if isinstance(outer, dict) else outer)]
        inner = [part for part in inner if isinstance(part, dict | list)]
        if not inner:
            return False
    return True


def plain_budget(budget: Budget) -> dict[str, float | None]:
    """What remains, as JSON: null is without limit."""
    return {name: float(value) if math.isfinite(value) else None for name, value in asdict(budget).items()}


class Dialogue:
    """One method's requests and the lab's replies.

    material: the rig of an active method; whatever a passive one asks is refused. inbox: a folder that the method can
    read and not write, where its recordings are put.
    """

    def __init__(self, material: Any, inbox: str | Path) -> None:
        self._material, self._inbox = material, Path(inbox)
        self._delivered: Path | None = None
        self._proposed = 0
        asks = {"session": self._session, "record": self._record, "foretell": self._foretell}
        self._known = asks if hasattr(material, "record") else {}

    def reply(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """What the lab answers; a refusal is an answer too. Raises only what is the lab's own fault."""
        try:
            content = self._asked(message.get("do"))(message)
        except HouseFault:
            raise
        except BudgetExceeded as refusal:
            return {"error": "BudgetExceeded", "message": str(refusal)}
        except SimlabError as refusal:
            return {"error": "SimlabError", "message": str(refusal)}
        return content | {"remaining": plain_budget(self._material.remaining)}

    def deliver(self, recording: Any) -> str:
        """Seals a recording into the inbox, in place of the one before; returns its absolute path."""
        if self._delivered is not None:
            self._delivered.unlink(missing_ok=True)
        try:
            self._delivered = seal_into(recording, self._inbox)
        except OSError as error:
            raise HouseFault(
                f"a recording cannot be written for a method ({error}): free some space, or set TMPDIR"
            ) from error
        return str(self._delivered)

    def _asked(self, do: Any) -> Any:
        if not isinstance(do, str) or do not in self._known:
            raise SimlabError(
                f"a message must say do: {', '.join([*self._known, 'finding'])} or error, got {shown(do)}"
            )
        return self._known[do]

    def _session(self, message: Mapping[str, Any]) -> dict[str, Any]:
        fields("a request for a session", message, {"do", "trials", "duration"}, set())
        trials, duration = whole("trials", message["trials"], least=1), finite("a duration", message["duration"])
        if self._proposed >= MOST_PROPOSALS:
            raise SimlabError(f"the lab gives out {MOST_PROPOSALS} natural sessions, and no more: change one of those")
        self._proposed += 1
        return {"session": self._material.session(trials=trials, duration=duration).to_dict()}

    def _record(self, message: Mapping[str, Any]) -> dict[str, Any]:
        return {"recording": self.deliver(self._material.record(_session_of(message)))}

    def _foretell(self, message: Mapping[str, Any]) -> dict[str, Any]:
        return {"recording": self.deliver(self._material.foretell(_session_of(message)))}


def _session_of(message: Mapping[str, Any]) -> Session:
    try:
        fields("a request for a recording", message, {"do", "session"}, set())
        return Session.from_dict(message["session"])
    except SimlabError as error:
        raise SimlabError(f"a session to record must look like one that was given out: {error}") from error
