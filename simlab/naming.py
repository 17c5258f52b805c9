"""What a plug-in is called, and which kind it is: told by its `name` and the methods that it has."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from simlab.contracts import SimlabError

SIGNS = {
    "cells": "experiments", "subject": "circuits", "implant": "instruments", "install": "instruments",
    "analyse": "methods", "investigate": "methods", "false_recovery": "questions",
}  # fmt: skip
"""What only one kind of plug-in has, and which."""


def name_of(plugin: Any) -> str:
    """A plug-in's name: its `name`, else its class name in snake case."""
    owner = plugin if isinstance(plugin, type) else type(plugin)
    named = getattr(plugin, "name", None)
    return named if isinstance(named, str) else re.sub(r"(?<!^)(?=[A-Z])", "_", owner.__name__).lower()


def kind_of(plugin: Any) -> str:
    """Which kind of plug-in an object or class is, by the methods that it has; SimlabError if it is none."""
    for attribute, kind in SIGNS.items():
        if callable(getattr(plugin, attribute, None)):
            return kind
    raise SimlabError(
        f"{plugin!r} is no plug-in: a circuit has subject(), an instrument implant() or install(), a method analyse() "
        "or investigate(), a question score() and false_recovery(), an experiment is a simlab.Experiment"
    )


def near(word: str, known: Iterable[str]) -> str:
    """` (did you mean X?)` where the names known hold one or two that are much like this word, else nothing."""
    from difflib import get_close_matches

    folded = {name.lower().replace("-", "_"): name for name in known}
    found = get_close_matches(word.lower().replace("-", "_"), folded, n=2, cutoff=0.7)
    return f" (did you mean {' or '.join(folded[name] for name in found)}?)" if found else ""
