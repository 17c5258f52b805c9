"""Which cells of an experiment a ledger already has, which are stale, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from simlab.experiment import Cell
from simlab.running.rescoring import scored_again
from simlab.store.ledger import Ledger, Row


@dataclass
class Standing:
    """What is to be done: `todo` (digests), rows to score again, and the reasons for which others are stale."""

    ledger: Ledger
    cells: Mapping[str, Cell]
    todo: set[str] = field(default_factory=set)
    rescore: dict[str, str] = field(default_factory=dict)  # digest -> that of the row to score again
    reasons: Counter[str] = field(default_factory=Counter)
    set_aside: int = 0

    def scored_again(self) -> Iterator[Row]:
        """The rows whose question alone has changed, scored with its present criteria."""
        for digest, earlier in self.rescore.items():
            row = self.ledger.row(earlier)
            if row is not None:
                yield scored_again(self.ledger, row, self.cells[digest].asked)

    def sentences(self) -> Iterator[str]:
        """What a user who resumes should know."""
        if self.reasons:
            why = "; ".join(f"{reason} ({n} cells)" for reason, n in self.reasons.most_common())
            yield f"{sum(self.reasons.values())} cells are stale and run again: {why}"
        if self.rescore:
            yield f"{len(self.rescore)} cells are scored again from their kept findings: their question has changed"
        if self.set_aside:
            yield f"{self.set_aside} rows of cells that the experiment no longer has are set aside"


def standing(ledger: Ledger, cells: Mapping[str, Cell]) -> Standing:
    """Compares the cells, by digest, with the rows that there are."""
    done, by_identity = ledger.made_of(), ledger.by_identity()
    found = Standing(ledger, cells, todo={digest for digest in cells if digest not in done})
    identities = set()
    for digest, cell in cells.items():
        identity = cell.identity()
        identities.add(identity)
        if digest in found.todo and identity in by_identity:
            _note_stale(found, digest, cell.made_of(), {d: done[d] for d in by_identity[identity]})
    found.set_aside = sum(len(rows) for identity, rows in by_identity.items() if identity not in identities)
    return found


def _note_stale(found: Standing, digest: str, wanted: Mapping[str, Any], earlier: Mapping[str, Mapping]) -> None:
    """Of the rows that this cell has had, the one that differs least tells what has changed."""
    changes = {d: [part for part in wanted if parts.get(part) != wanted[part]] for d, parts in earlier.items()}
    nearest = min(changes, key=lambda d: len(changes[d]))
    if changes[nearest] == ["question"]:
        found.todo.discard(digest)
        found.rescore[digest] = nearest
        return
    for part in changes[nearest][:1] or ["seed"]:
        found.reasons[_reason(part, wanted, earlier[nearest])] += 1


def _reason(part: str, wanted: Mapping[str, Any], earlier: Mapping[str, Any]) -> str:
    if part != "libraries":
        return f"the code of the {part} has changed"
    before, now = earlier.get(part, {}), wanted[part]
    moved = [f"{name} {before.get(name, 'none')} -> {now[name]}" for name in now if before.get(name) != now[name]]
    return ", ".join(moved) or "a library was removed"
