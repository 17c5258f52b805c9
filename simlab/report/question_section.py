"""What a report says of one question: its leaderboard, matrices, power curves, calibration and answers."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from simlab.bounds.of_run import kept, separates
from simlab.report import charts, glossary, matrices, tables
from simlab.report.figures import Gallery, Plate
from simlab.report.material import Material, Record, asked
from simlab.report.matrices import Matrix
from simlab.report.shown_answers import shown
from simlab.report.words import amount_needed, paragraphs, shortened
from simlab.statistics import calibration_points
from simlab.statistics.families import family_size, strongest
from simlab.statistics.knowable import beside_bounds

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class League:
    """Methods that are compared with each other, the best first, and the baselines in the same settings."""

    number: int
    methods: list[Record]
    baselines: list[Record]

    @property
    def settings(self) -> int:
        """In how many settings they are compared."""
        return max((int(row["n"] + row["n_rival"]) for row in self.methods or self.baselines), default=0)


@dataclass(frozen=True)
class Curve:
    """A power figure and the table of what the target recovery costs."""

    plate: Plate
    power: tables.Power
    panels: list[str]
    needed: dict[str, dict[str, str]]  # line -> panel -> amount in words


@dataclass(frozen=True)
class QuestionSection:
    """One question's part of the report."""

    name: str
    slug: str
    asks: str
    rule: str  # when an answer counts as a recovery
    criterion: list[tuple[str, str, str]]
    metric: str
    metric_words: str
    metric_low: float
    leagues: list[League]
    circuits: Matrix
    instruments: Matrix
    points: pd.DataFrame  # of the calibration
    curves: list[Curve] = field(default_factory=list)
    errors: Plate | None = None
    calibration: Plate | None = None
    answers: list[Plate] = field(default_factory=list)
    answers_trouble: str = ""
    bounds: list[Record] = field(default_factory=list)
    decides: list[Record] = field(default_factory=list)
    family: int = 0  # subjects of it


MOST_COLUMNS = 10
"""A matrix of more instruments than this shows them by name, their parameters pooled."""


def question_section(material: Material, name: str, gallery: Gallery) -> QuestionSection:
    """Everything that the report says of this question, its figures saved in the gallery."""
    cells, question, rows = material.by_question[name], asked(material.results, name), material.leaders.get(name, [])
    order = material.order(name)
    lows = [low for row in rows for key in ("value", "value_low", "chance") if (low := row[key]) == low]
    several = cells["instrument_label"].nunique() <= MOST_COLUMNS
    metric = str(rows[0]["metric"]) if rows else ""
    points = calibration_points(cells, name)
    return QuestionSection(
        name,
        material.links.slug("question", name),
        next(iter(paragraphs(inspect.getdoc(question) or "")), "") if question else "",
        glossary.rule(question) if question else "",
        glossary.criterion(question) if question else [],
        metric,
        glossary.of_metric(metric),
        min(0.0, np.floor(min(lows, default=0.0) * 10) / 10),
        leagues(rows),
        matrices.by_circuit(cells, order),
        matrices.by_instrument(cells, "instrument_label" if several else "instrument", order),
        points,
        _curves(material, name, order, gallery),
        _errors(material.by_question[name], name, order, gallery),
        _calibration(points, name, order, gallery),
        *_answers(material, cells, question, order, gallery),
        _bounds(material, cells, question),
        list(strongest(cells, name, metric).to_dict("records")) if metric in cells else [],
        family_size(cells, name),
    )


def _bounds(material: Material, cells: pd.DataFrame, question: Any) -> list[Record]:
    """What could be known, where that was measured and the question is about telling circuit and rival apart."""
    if not separates(question):
        return []
    rows = beside_bounds(cells, kept(material.results.folder), question.name)
    return [row | {"tells": ", ".join(f"{name} ({apart:+.1f} sd)" for name, apart in row["tells"][:3])} for row in rows]


def leagues(rows: list[Record]) -> list[League]:
    """The leaderboard's rows by league."""
    numbers = sorted({int(row["league"]) for row in rows})
    own = {number: [row for row in rows if row["league"] == number] for number in numbers}
    return [League(n, [r for r in own[n] if not r["baseline"]], [r for r in own[n] if r["baseline"]]) for n in numbers]


def _answers(
    material: Material, cells: pd.DataFrame, question: Any, order: list[str], gallery: Gallery
) -> tuple[list[Plate], str]:
    if question is None:
        return [], "The question is not registered here, so its answers cannot be drawn: register it first."
    return shown(material.results, cells, question, order, gallery)


CURVE_CAPTION = (
    "Means and 95% intervals, in the settings that were tried at most of these amounts. Dashed: chance, which for "
    "recovery is what the better blind baseline gets. Ticks at the right: each method's ceiling, with the perfect "
    "instrument and ample data."
)


def fixed(held: str) -> str:
    """The end of a caption that says what was held fixed."""
    return f" Held fixed: {held}." if held else ""


def _curves(material: Material, name: str, order: list[str], gallery: Gallery) -> list[Curve]:
    cells = material.by_question[name]
    found = []
    for x, label in tables.swept(cells).items():
        power = tables.power(cells, material.board, name, x, label, charts.TARGET)
        if power is not None and not power.curves.empty:
            found.append(_curve(power, name, order, gallery))
    return found


def _curve(power: tables.Power, name: str, order: list[str], gallery: Gallery) -> Curve:
    rows = [charts.Row("recovery", "recovery rate", power.blind, power.ceiling_recovery, charts.TARGET)]
    if power.curves["value"].notna().any():
        rows.append(charts.Row("value", f"{power.metric} (score)", power.chance, power.ceiling))
    lines = [line for line in order if line in set(power.curves["line"])]
    figure, left_out = charts.power_figure(power.curves, power.x, power.label, rows, lines)
    words = f"{name} against {power.label}"
    caption = CURVE_CAPTION + fixed(shortened(power.held, 200)) + (f" Not drawn: {left_out}." if left_out else "")
    alt = f"Power curves: {words}"
    plate = gallery.add(f"{name} against {power.x}", figure, alt, caption, lines[charts.MOST_COLOURED :])
    panels = list(dict.fromkeys(row["panel"] for row in power.needed))
    needed: dict[str, dict[str, str]] = {line: {} for line in lines}
    for row in power.needed:
        needed[row["line"]][row["panel"]] = amount_needed(row)
    return Curve(plate, power, panels, needed)


ERRORS_CAPTION = (
    "Means and 95% intervals of the false share of what was decided; an answer that decides on nothing counts 0. "
    "Dashed: the rates that methods state ({stated})."
)


def _errors(cells: pd.DataFrame, name: str, order: list[str], gallery: Gallery) -> Plate | None:
    """Realised error rates against minutes, beside those that methods state."""
    found = tables.false_claims(cells, name)
    if found is None:
        return None
    lines = [line for line in order if line in set(found.curves["line"])]
    row = charts.Row("value", found.metric.replace("_", " ") + " of what was decided", stated=found.stated)
    figure, left_out = charts.power_figure(found.curves, "minutes", "minutes recorded", [row], lines)
    stated = ", ".join(f"{level:g}" for level in found.stated) or "none does"
    caption = ERRORS_CAPTION.format(stated=stated) + fixed(shortened(found.held, 200))
    caption += f" Not drawn: {left_out}." if left_out else ""
    alt = f"False share of what was decided on {name} against minutes recorded"
    return gallery.add(f"{name} false claims", figure, alt, caption, lines[charts.MOST_COLOURED :])


def _calibration(points: pd.DataFrame, name: str, order: list[str], gallery: Gallery) -> Plate | None:
    if points.empty:
        return None
    lines = [line for line in order if line in set(points["line"])]
    alt = f"Reliability of the stated confidences on {name}"
    caption = "How often answers given with a stated confidence were right, over circuits and rivals."
    figure = charts.calibration_figure(points, lines)
    return gallery.add(f"{name} calibration", figure, alt, caption, lines[charts.MOST_COLOURED :])
