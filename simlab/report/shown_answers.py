"""Which answers of a question the report shows beside their truth, and the figures of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from simlab.report import tables
from simlab.report.figures import Gallery, Plate, plain_number
from simlab.report.pictures import MOST_LABELS, Answer, draw, over_cells
from simlab.report.words import shortened

if TYPE_CHECKING:
    import pandas as pd

    from simlab.store.results import Results

MOST_ANSWERS = 400
"""A figure over cells holds no more answers than this, spread evenly over the cells that there are."""
ROLES = {"circuit": "on the circuits", "rival": "on rivals", "ceiling": "with the perfect instrument and ample data"}


def shown(
    results: Results, cells: pd.DataFrame, question: Any, order: list[str], gallery: Gallery
) -> tuple[list[Plate], str]:
    """The figures of this question's answers, and what kept others from being drawn.

    cells: of this question. order: method labels as the leaderboard has them.
    A question may be anybody's plug-in: its picture may fail, and the report must still say all the rest.
    """
    if question.picture is None:
        return [], ""
    plates: list[Plate] = []
    try:
        pooled = over_cells(question.picture, question.form[question.picture.answer].dims)
        figures = (
            _by_role(results, cells, question, order, gallery) if pooled else _cases(results, cells, question, gallery)
        )
        plates.extend(figures)
    except Exception as error:
        return plates, f"The answers could not be drawn: {type(error).__name__}: {error}"
    return plates, ""


def _kept(results: Results, question: Any, row: dict[str, Any]) -> Answer | None:
    """The answer of a row with its truth, both in the form's dims; None where it was not kept or lacks the variable."""
    found, picture = results.answer(row["cell"]), question.picture
    if found is None or picture.answer not in found[0]:
        return None
    estimate, truth = found
    truth = truth.transpose(*question.form[picture.answer].dims, ..., missing_dims="ignore")
    return Answer(estimate, truth, shortened(tables.short(row["method_label"])))


def _cases(results: Results, cells: pd.DataFrame, question: Any, gallery: Gallery) -> Iterator[Plate]:
    """The best, median and worst answers, and the worst claim on a rival, of the cells that were kept."""
    done: set[str] = set()
    drawn: set[str] = set()
    for case, row in tables.notable_cells(cells, question.headline):
        if case in done or row["cell"] in drawn:
            continue
        answer = _kept(results, question, row)
        if answer is None:
            continue
        done.add(case)
        drawn.add(row["cell"])
        yield _case(case, row, answer, question, gallery)


def _case(case: str, row: dict[str, Any], answer: Answer, question: Any, gallery: Gallery) -> Plate:
    words = " · ".join(shortened(row[name]) for name in ("method_label", "circuit_label", "instrument_label"))
    value = row[question.headline]
    measured = f"{question.headline} {plain_number(value)}" if value == value else f"{question.headline} undefined here"
    amount = f"{row['trials']} × {row['duration']:g} s, subject {row['subject']}"
    figure = draw(question.picture, [answer], f"{case}: {words}")
    alt = f"{case}: true against answered {question.picture.truth.replace('_', ' ')}, {words}"
    return gallery.add(f"{question.name} {case}", figure, alt, f"{measured}; {amount}")


def _by_role(
    results: Results, table: pd.DataFrame, question: Any, order: list[str], gallery: Gallery
) -> Iterator[Plate]:
    """One figure of many answers for each role of circuit; methods apart within it, the best first."""
    answered = table[table["status"] == "ok"]
    answered = answered[~answered["method"].map(tables.baseline)]
    for role, words in ROLES.items():
        cells = answered[answered["role"] == role]
        labels = [label for label in order if label in set(cells["method_label"])]
        rows = _spread(cells, labels[:MOST_LABELS])
        kept = [answer for row in rows if (answer := _kept(results, question, row)) is not None]
        if not kept:
            continue
        figure = draw(question.picture, kept, f"{question.name}: answers {words}")
        alt = f"True against answered {question.picture.truth.replace('_', ' ')} {words}"
        caption = f"{len(kept)} of {len(cells)} answers, over all settings."
        if len(labels) > MOST_LABELS:
            caption += f" Of {len(labels)} methods the first {MOST_LABELS} of the leaderboard."
        yield gallery.add(f"{question.name} answers {role}", figure, alt, caption)


def _spread(cells: pd.DataFrame, labels: list[str]) -> list[dict[str, Any]]:
    """Rows of these methods, in this order; of too many, evenly spaced ones."""
    place = {label: i for i, label in enumerate(labels)}
    among = cells[cells["method_label"].isin(labels)]
    ranked = among.iloc[np.argsort(among["method_label"].map(place).to_numpy(), kind="stable")]
    chosen = np.linspace(0, len(ranked) - 1, min(len(ranked), MOST_ANSWERS)).round().astype(int)
    return tables.records(ranked.iloc[chosen])
