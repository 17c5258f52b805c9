"""What a method says, made safe to keep and to show: cleaned of what a terminal, a page or a file trips over, and cut.

Whatever text a method brings (reasons, errors, labels, notes) passes through here where it enters, whichever way the
method was run; later on nobody has to ask. Nothing here trusts the object that it is given.
"""

from __future__ import annotations

import hashlib
import math
import re
import reprlib
import unicodedata
from collections.abc import Mapping
from typing import Any

import numpy as np

LONGEST_LINE = 1000
"""Characters of a reason or an error."""

LONGEST_LABEL = 40
"""Characters of a label or a name: more crowds a figure."""

LONGEST_TRACE = 8000
"""Characters of a traceback, its last ones."""

NOTES_SIZE = 1 << 16
"""Characters of all notes of a finding together, as JSON or nearly so."""

NOTES_DEPTH = 6
"""Notes inside notes, so deep."""

LONGEST_ARRAY = 100
"""Arrays of more elements than this are named by their shape among notes."""

LOOKED_AT = 1 << 20
"""Characters of a label that tell it from others."""

ELLIPSIS = "…"

ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?|\x1b[\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?|\x1b.?", re.S
)
"""Of terminals (ECMA-48): colours, titles, cursor movements, links."""

ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
"""Differs from run to run, and says nothing."""

STRAYS = re.compile("[\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
"""Surrogates, which no file can hold, and what is no character."""

_shown = reprlib.Repr()
_shown.maxstring = _shown.maxother = _shown.maxlong = 4 * LONGEST_LABEL


def line(text: Any, longest: int = LONGEST_LINE) -> str:
    """Text as one clean line of at most so many characters, the last an ellipsis where it was cut.

    White space is single blanks; control characters, terminal escapes and invisible ones (bidi overrides above all)
    are gone; surrogates are U+FFFD; what looks alike is alike (NFC).
    """
    return _cut(" ".join(_clean(_exact(text), longest).split()), longest)


def lines(text: Any, longest: int = LONGEST_TRACE) -> str:
    """Text cleaned as in `line`, but with its lines and their indentation; of too much, the last is kept."""
    whole = _exact(text)
    clean = "\n".join(_clean(one.expandtabs(4), longest).rstrip() for one in whole[-longest:].splitlines())
    return clean if max(len(whole), len(clean)) <= longest else ELLIPSIS + clean[-(longest - 1) :]


def label(text: Any) -> str:
    """A label or name as one clean, short line; labels that differ only beyond the cut stay apart by a digest."""
    exact = _exact(text)
    clean = line(exact, 4 * LONGEST_LABEL)
    if len(clean) <= LONGEST_LABEL:
        return clean
    digest = hashlib.sha256(exact[:LOOKED_AT].encode("utf-8", "surrogatepass")).hexdigest()[:6]
    return clean[: LONGEST_LABEL - 7].rstrip() + ELLIPSIS + digest


def shown(value: Any, longest: int = 4 * LONGEST_LABEL) -> str:
    """What any object looks like, on one short line, without its address; whatever it is, this does not raise."""
    try:
        return line(ADDRESS.sub("", _shown.repr(value)), longest)
    except Exception as failure:
        return f"<{type_name(value)} whose repr raised {type_name(failure)}>"


def type_name(value: Any) -> str:
    """The name of an object's class, whatever its class makes of that."""
    return label(type.__dict__["__name__"].__get__(type(value)))


def plain_notes(notes: Any) -> dict[str, Any]:
    """A finding's notes as what JSON holds: clean text, short arrays as lists, cut to `NOTES_SIZE`, `NOTES_DEPTH`."""
    return _Notes().taken(notes)


class _Notes:
    """What is left of the room for notes while they are copied."""

    def __init__(self) -> None:
        self.left = NOTES_SIZE

    def taken(self, notes: Any) -> dict[str, Any]:
        try:
            found = self._mapping(notes, 0)
        except Exception as failure:  # whatever the method's own containers raise
            return {"unreadable": f"the notes raised {type_name(failure)}"}
        if self.left <= 0:
            found["cut"] = f"the notes were longer than {NOTES_SIZE} characters"
        return found

    def _copy(self, value: Any, depth: int) -> Any:
        """A plain copy; every call pays, so that nothing goes on for ever."""
        if isinstance(value, np.ndarray | np.generic):
            short = math.prod(max(length, 1) for length in value.shape) <= LONGEST_ARRAY
            value = value.tolist() if short else f"array of shape {value.shape}"
        if isinstance(value, Mapping | list | tuple) and depth >= NOTES_DEPTH:
            return self._pay(ELLIPSIS)
        self.left -= 2
        if isinstance(value, Mapping):
            return self._mapping(value, depth + 1)
        if isinstance(value, list | tuple):
            return self._list(value, depth + 1)
        return self._pay(_scalar(value))

    def _mapping(self, notes: Any, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in notes:
            if self.left <= 0:
                break
            key = self._pay(label(name) if isinstance(name, str) else label(shown(name)))
            found[key] = self._copy(notes[name], depth)
        return found

    def _list(self, values: Any, depth: int) -> list[Any]:
        found: list[Any] = []
        for value in values:
            if self.left <= 0:
                break
            found.append(self._copy(value, depth))
        return found

    def _pay(self, value: Any) -> Any:
        if isinstance(value, str):
            value = value if len(value) <= self.left else _cut(value, max(self.left, 1))
        self.left -= 2 + (len(value) if isinstance(value, str) else len(repr(value)))
        return value


def _scalar(value: Any) -> Any:
    """A number, a flag or nothing as it is; anything else as text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and int.bit_length(value) <= 64:
        return int.__int__(value)
    if isinstance(value, float):
        return float.__float__(value)
    return line(value) if isinstance(value, str) else shown(value)


def _exact(text: Any) -> str:
    """A plain str, of a subclass too, without asking it; of anything else, what it looks like."""
    return str.__str__(text) if isinstance(text, str) else shown(text)


def _clean(text: str, longest: int) -> str:
    """Without what cannot be printed; only as much is looked at as can be kept."""
    text = text[: 8 * longest]
    if text.isascii() and text.isprintable():
        return text
    text = STRAYS.sub("\ufffd", ESCAPES.sub("", text))
    text = "".join(c for c in text if c.isspace() or unicodedata.category(c) not in ("Cc", "Cf"))
    return unicodedata.normalize("NFC", text)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1].rstrip() + ELLIPSIS
