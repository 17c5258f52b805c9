"""Which cells make a curve over a sweep: those of like settings, told apart into lines, and what was left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from simlab.contracts import SimlabError
from simlab.statistics.amounts import MOST_VALUES
from simlab.statistics.matching import comparable
from simlab.statistics.sweeps import settings, values_of, varying

if TYPE_CHECKING:
    import pandas as pd

DRAWN = ("n_units", "hidden_fraction")
"""Amounts that an instrument may draw anew in each subject."""


@dataclass(frozen=True)
class Swept:
    """Cells with their value `_x` of the sweep `over` and their `_line`; parts: the columns that make up a setting."""

    over: str
    cells: pd.DataFrame
    parts: dict[str, list[str]]


def swept_cells(table: pd.DataFrame, over: str) -> Swept:
    """A results table made ready for a curve over this; SimlabError where there is no such thing, or just one value."""
    x = values_of(table, over)
    if over not in (found := varying(table)):
        raise SimlabError(
            f"{over} does not vary in this run, so there is no curve over it: what varies is "
            f"{', '.join(found) or 'nothing'}"
        )
    cells, parts = settings(table.assign(_x=x), over)
    return Swept(over, cells.assign(_line=_lines(cells, over)), parts)


def _lines(cells: pd.DataFrame, over: str) -> pd.Series:
    """The method's label; where one of its parameters is swept, its name with whatever else varies in it."""
    labels = cells["method_label"]
    if not over.startswith("method."):
        return labels
    others = [name for name in map(str, cells.columns) if name.startswith("method.") and name != over]
    swept = cells[cells["_x"].notna()]
    found = {}
    for label, own in swept.drop_duplicates("method_label").set_index("method_label").iterrows():
        alike = swept[swept["method"] == own["method"]]
        told = [f"{name[7:]}={own[name]}" for name in others if alike[name].nunique() > 1]
        found[label] = f"{own['method']}({', '.join(told)})" if told else str(own["method"])
    return labels.map(lambda label: found.get(label, label))


def of_question(cells: pd.DataFrame, question: str | None) -> pd.DataFrame:
    """The cells of this question, or of all; SimlabError lists them."""
    there = sorted(set(cells["question"]))
    if question is not None and question not in there:
        raise SimlabError(f"this run asks {', '.join(there)}, got question={question!r}: name one of them")
    return cells if question is None else cells[cells["question"] == question]


def of_methods(cells: pd.DataFrame, methods: Sequence[str] | None) -> pd.DataFrame:
    """The cells of these methods (by name, label or line), or of all; SimlabError lists them."""
    if methods is None:
        return cells
    wanted = (methods,) if isinstance(methods, str) else tuple(methods)
    there = sorted({*cells["method"], *cells["method_label"], *cells["_line"]})
    for name in wanted:
        if name not in there:
            close = get_close_matches(str(name), there, n=1)
            hint = f"did you mean {close[0]!r}? " if close else ""
            raise SimlabError(f"no method {name!r} in these results: {hint}there are {', '.join(there)}")
    return cells[cells[["method", "method_label", "_line"]].isin(wanted).any(axis=1)]


def alike(own: pd.DataFrame, swept: Swept) -> tuple[pd.DataFrame, str]:
    """The cells that may be compared across the sweep, and what is pooled and was left out in words.

    own: those of `swept.cells` that the curve is of. Where no setting met two values, since another parameter of the
    same part was changed along with the one that is swept, such parameters are no part of the setting.
    """
    known = own[own["_x"].notna()]
    if known.empty:
        raise SimlabError(
            f"none of the cells chosen has a value of {swept.over}: choose other methods or another sweep"
        )
    known, drawn = _classed(known, swept.over)
    part = swept.over.partition(".")[0]
    part = part if part in swept.parts else "plan"
    kept, words = _comparable(known, swept.parts, hidden := ("subject",) if drawn else ()), []
    if _most_values(kept) < 2 and _most_values(loose := _comparable(known, swept.parts, (part, *hidden))) > 1:
        kept, words = loose, [f"other parameters of the {part} change along"]
    return kept, "; ".join([_pooled(kept), *words, *_left_out(own, known, kept, swept)])


def _most_values(kept: pd.DataFrame) -> int:
    return int(kept.groupby(["question", "_line"])["_x"].nunique().max())


def _comparable(known: pd.DataFrame, parts: dict[str, list[str]], tied: Sequence[str]) -> pd.DataFrame:
    free = {part: names for part, names in parts.items() if part not in tied}
    factors = [name for names in free.values() for name in names]
    hands = [name for part in ("stimulator", "budget") for name in free.get(part, ())]
    return comparable(known, "_x", ["question", "role", "_line"], [*factors, "role"], hands)


def _classed(cells: pd.DataFrame, over: str) -> tuple[pd.DataFrame, bool]:
    """Amounts that an instrument drew anew in each subject, pooled into quantile classes; and whether it did."""
    import pandas as pd

    drawn = over in DRAWN and cells.groupby(["instrument_label", "circuit_label"])["_x"].nunique().max() > 1
    if not drawn or cells["_x"].nunique() <= MOST_VALUES:
        return cells, drawn
    classes = pd.qcut(cells["_x"], MOST_VALUES - 1, labels=False, duplicates="drop")
    return cells.assign(_x=cells.groupby(classes)["_x"].transform("median")), drawn


def _pooled(kept: pd.DataFrame) -> str:
    named = {"subject": "subjects", "circuit_label": "circuits", "plan": "plans", "instrument_label": "instruments"}
    points = kept.groupby(["question", "_line", "_x"], sort=False)
    counts = {word: int(points[name].nunique().max()) for name, word in named.items()}
    words = [f"{n} {word}" for word, n in counts.items() if n > 1]
    return f"each point over {', '.join(words)}" if words else "each point of one subject"


def _left_out(own: pd.DataFrame, known: pd.DataFrame, kept: pd.DataFrame, swept: Swept) -> Iterator[str]:
    if without := sorted(set(own["_line"]) - set(known["_line"])):
        yield f"left out, having no {swept.over}: {', '.join(without)}"
    if len(known) > len(kept):
        yield f"left out: {len(known) - len(kept)} of {len(known)} cells, in settings that did not meet every value"
    everywhere = known if len(known) > len(kept) else swept.cells[swept.cells["role"] != "ceiling"]
    if lost := [x for x in dict.fromkeys(everywhere["_x"].dropna()) if x not in set(kept["_x"])]:
        yield f"no cells to compare at {swept.over} = {', '.join(map(_plain, lost))}"


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
