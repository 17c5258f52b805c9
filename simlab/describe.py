"""What `simlab show` prints of a plug-in: its documentation, parameters, and truths or needs."""

from __future__ import annotations

import dataclasses
import inspect
import re
from typing import Any

from simlab.contracts import Needs
from simlab.fingerprint import describe, label
from simlab.naming import name_of
from simlab.questions.form import words
from simlab.registry import made, rivals_of
from simlab.settings import present_value
from simlab.truths import answerable


def description(name: str, kind: str, plugin: Any) -> str:
    """The text of `simlab show NAME`."""
    owner = plugin if isinstance(plugin, type) else type(plugin)
    parts = [f"{name} ({kind[:-1]})", ""]
    if kind == "experiments":
        return "\n".join([*parts, *_experiment(plugin)])
    parts += [inspect.getdoc(owner) or "It has no documentation.", ""]
    parts += _parameters(plugin, owner)
    parts += _relations(name, kind, plugin)
    return "\n".join(parts)


def _parameters(plugin: Any, owner: type) -> list[str]:
    if not dataclasses.is_dataclass(owner) or not dataclasses.fields(owner):
        return ["parameters: none"]
    notes = field_docs(owner)
    lines = ["parameters:"]
    for field in dataclasses.fields(owner):
        value, usual = (_shown(present_value(who, field.name)) for who in (plugin, owner))
        value += f" (default {usual})" if value != usual else ""
        note = f"  {notes[field.name]}" if field.name in notes else ""
        lines.append(f"  {field.name} = {value}{note}")
    return lines


def _shown(value: Any) -> str:
    if value is dataclasses.MISSING:
        return "(required)"
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return label(value)
    return str(describe(value)) if hasattr(value, "dtype") else repr(value)


def field_docs(owner: type) -> dict[str, str]:
    """The comment behind a field, or the string below it, by field name; of inherited fields too."""
    notes: dict[str, str] = {}
    for kind in reversed(owner.__mro__):
        notes |= _notes_in(kind)
    return notes


def _notes_in(owner: type) -> dict[str, str]:
    try:
        source = inspect.getsource(owner)
    except (OSError, TypeError):
        return {}
    notes = dict(re.findall(r"^    (\w+)\s*:[^\n#]*#\s*(.+)$", source, flags=re.MULTILINE))
    below = re.findall(r'^    (\w+)\s*:[^\n]*\n    """(.+?)"""', source, flags=re.MULTILINE | re.DOTALL)
    return notes | {name: " ".join(text.split()) for name, text in below}


def _relations(name: str, kind: str, plugin: Any) -> list[str]:
    tell = {"circuits": _of_circuit, "methods": _of_method, "questions": _of_question, "instruments": _of_instrument}
    return ["", *tell[kind](name, plugin)]


def _of_circuit(name: str, plugin: Any) -> list[str]:
    rivals = [name_of(rival) for rival in rivals_of(name)]
    return [
        f"mechanism: {plugin.mechanism}",
        f"activity: {', '.join(_modalities(plugin)) or 'not stated'}",
        f"truths: {', '.join(answerable(plugin))}",
        f"imitates: {', '.join(getattr(plugin, 'twin_of', ())) or 'none'}",
        f"rivals: {', '.join(rivals) or 'none'}",
    ]


def _modalities(plugin: Any) -> tuple[str, ...]:
    """What a circuit says that its activity holds; where that depends on its parameters, with those that it has."""
    stated = getattr(plugin, "modalities", ())
    return tuple(getattr(made(plugin, {}), "modalities", ()) if isinstance(stated, property) else stated)


def _of_method(name: str, plugin: Any) -> list[str]:
    question = getattr(plugin, "question", None)
    needs = getattr(plugin, "needs", None)
    return [
        f"answers: {question if isinstance(question, str) else 'the question of the method inside'}",
        f"family: {getattr(plugin, 'family', 'not stated')}; library: {getattr(plugin, 'library', 'not stated')}",
        f"works on: {'a rig (active)' if hasattr(plugin, 'investigate') else 'a recording (passive)'}",
        f"needs: {_words(needs) if isinstance(needs, Needs) else 'those of the method inside'}",
    ]


def _words(needs: Needs) -> str:
    """What differs from asking nothing."""
    asked = [
        f"{f.name.replace('_', ' ')} {getattr(needs, f.name)}"
        for f in dataclasses.fields(needs)
        if getattr(needs, f.name) != f.default
    ]
    return "; ".join(asked) or "nothing in particular"


def _of_question(name: str, plugin: Any) -> list[str]:
    return [
        f"answer: {words(plugin.form)}",
        f"truth: {words(plugin.truth_form)}",
        f"metrics: {', '.join(plugin.metrics)}; headline: {plugin.headline}",
    ]


def _of_instrument(name: str, plugin: Any) -> list[str]:
    needs = getattr(plugin, "needs", None)
    what = "stimulates units" if hasattr(plugin, "install") else "records units"
    return [what, *([f"needs: {_words(needs)}"] if isinstance(needs, Needs) else [])]


def _experiment(spec: Any) -> list[str]:
    lines = [spec.asks, "", f"subjects: {spec.subjects}; seed: {spec.seed}"]
    for i, grid in enumerate(spec.grids, 1):
        lines.append(f"grid {i}:")
        for part in ("circuits", "rivals", "plans", "instruments", "methods"):
            values = [getattr(p, "name", None) or f"{p.trials} x {p.duration:g} s" for p in getattr(grid, part)]
            lines.append(f"  {part}: {', '.join(map(str, values)) or 'none'}")
    lines.append("claims:")
    lines += [f"  {c.name}: {c.statement} Source: {c.source}" for c in spec.claims] or ["  none"]
    return lines
