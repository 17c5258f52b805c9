"""An experiment with other parameters: what `simlab run --set` makes of it, and what `run.json` says was made of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from simlab.contracts import SimlabError
from simlab.experiment import Experiment, Grid
from simlab.fingerprint import label, value_hash
from simlab.naming import name_of
from simlab.registry import question
from simlab.settings import Changes, fields_of, placed, with_changes

PARTS = ("circuits", "rivals", "instruments", "methods", "stimulators")
"""Fields of a grid that hold plug-ins."""

LIMITS = ("time_limit", "memory_limit")
"""What `experiment.field=value` may set; subjects and seed have options of their own."""


@dataclasses.dataclass(frozen=True)
class Limits:
    """The limits of an experiment, as a part that can be set."""

    time_limit: float
    memory_limit: int


def varied(spec: Experiment, settings: Iterable[str]) -> Experiment:
    """The experiment with `part.field=value` for each of the settings, wherever that part stands in its grids.

    A part goes by its registered name; plans by `plan`, those of ceilings by `ceiling`, questions by their names,
    and the limits by `experiment`. Values of a sweep that become the same are one. Raises SimlabError for what the
    experiment has not, for a field that several parts have, and for a rival's field that its circuit decides.
    """
    settings = tuple(settings)
    if not settings:
        return spec
    changes = placed(settings, parts_of(spec), only_named=("ceiling",))
    new: dict[int, Any] = {}  # by the object's id, since cells of one simulation share their circuit
    grids = tuple(_varied_grid(grid, changes, new) for grid in spec.grids)
    for grid in grids:
        _check_taken(grid, changes)
    limits = with_changes(_limits(spec), changes.get("experiment", {}))
    return dataclasses.replace(
        spec, grids=grids, questions=_varied_questions(spec, changes), **dataclasses.asdict(limits)
    )


def parts_of(spec: Experiment) -> dict[str, list[Any]]:
    """All that can be set, by the name that it goes by."""
    found: dict[str, list[Any]] = {}
    for grid in spec.grids:
        for what in PARTS:
            for part in getattr(grid, what):
                if part is not None:
                    found.setdefault(name_of(part), []).append(part)
    plans = {"plan": [plan for grid in spec.grids for plan in grid.plans]}
    ceilings = [grid.ceiling for grid in spec.grids if grid.ceiling is not None]
    asked = {name: [question(name, spec.questions)] for name in _asked(spec)}
    return found | asked | plans | ({"ceiling": ceilings} if ceilings else {}) | {"experiment": [_limits(spec)]}


def _limits(spec: Experiment) -> Limits:
    return Limits(**{name: getattr(spec, name) for name in LIMITS})


def _asked(spec: Experiment) -> list[str]:
    return list(dict.fromkeys(name for grid in spec.grids for name in grid.asks))


def _varied_questions(spec: Experiment, changes: Mapping[str, Changes]) -> tuple[Any, ...]:
    """The experiment's own questions and those that are set, the latter with their new criteria."""
    wanted = dict.fromkeys([*map(name_of, spec.questions), *(name for name in _asked(spec) if name in changes)])
    return tuple(with_changes(question(name, spec.questions), changes.get(name, {})) for name in wanted)


def _varied_grid(grid: Grid, changes: Mapping[str, Changes], new: dict[int, Any]) -> Grid:
    def renewed(part: Any, name: str) -> Any:
        if name not in changes or part is None:
            return part
        if id(part) not in new:
            own = {path: value for path, value in changes[name].items() if path[0] in fields_of(part)}
            new[id(part)] = with_changes(part, own)
        return new[id(part)]

    fields: dict[str, Any] = {
        what: _once(renewed(part, name_of(part)) for part in getattr(grid, what)) for what in PARTS
    }
    fields["plans"] = _once(renewed(plan, "plan") for plan in grid.plans)
    fields["ceiling"] = renewed(grid.ceiling, "ceiling")
    return dataclasses.replace(grid, **fields)


def _once(parts: Iterable[Any]) -> tuple[Any, ...]:
    """Each value once, in the order of their first."""
    found: dict[str, Any] = {}
    for part in parts:
        found.setdefault(value_hash(part), part)
    return tuple(found.values())


def _check_taken(grid: Grid, changes: Mapping[str, Changes]) -> None:
    """A rival is matched to the circuit that it imitates, which may undo what was set."""
    for rival, twin in grid.imitations():
        for path in changes.get(name_of(rival), {}):
            wanted = {value_hash(_at(own, path)) for own in grid.rivals if name_of(own) == name_of(rival)}
            if twin is not None and value_hash(_at(rival, path)) not in wanted:
                field = ".".join(path)
                raise SimlabError(
                    f"{name_of(rival)}.{field} is decided by {label(twin)}, which it imitates: it stays "
                    f"{_at(rival, path)!r}; set a parameter of {name_of(twin)} instead"
                )


def _at(part: Any, path: tuple[str, ...]) -> Any:
    for field in path:
        part = getattr(part, field)
    return part
