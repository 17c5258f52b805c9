"""The report: one HTML file that needs no network and no JavaScript, with its figures beside it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simlab.contracts import SimlabError
from simlab.progress import report as progress
from simlab.report.figures import Gallery, plain_number

if TYPE_CHECKING:
    from simlab.claims import ClaimResult
    from simlab.store.results import Results

HERE = Path(__file__).parent
VERDICTS = ("holds", "fails", "undecided", "not measured")


def write_report(results: Results, out: Path | None = None) -> Path:
    """Writes the report of a run and returns its path: by default `report.html` in the run folder.

    out: another .html file, or a folder for it. Every figure is also saved as SVG in `figures` beside the file.
    Raises SimlabError where these cannot be written.
    """
    out = Path(out) if out is not None else results.folder
    file = out if out.suffix == ".html" else out / "report.html"
    gallery = Gallery(file.parent / "figures")
    page = render(context(results, gallery))
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(page, encoding="utf-8")
    except OSError as error:
        raise SimlabError(f"the report {file} cannot be written ({error}): name another place") from error
    progress(1.0, "report")
    return file


def context(results: Results, gallery: Gallery) -> dict[str, Any]:
    """What the template is filled with."""
    from simlab.report.question_section import question_section
    from simlab.report.tables import failures

    table = results.table
    questions = sorted(set(table["question"]))
    sections = []
    board = results.leaderboard()
    for i, question in enumerate(questions):
        progress(0.6 * i / len(questions), f"figures of {question}")
        sections.append(question_section(results, board, question, gallery))
    claims, claims_trouble = _claims(results)
    circuits_seen, circuits_trouble = _circuits_seen(results, gallery)
    return {
        "name": results.experiment,
        "asks": paragraphs(results.asks),
        "facts": facts(results),
        "claims": claims,
        "claims_trouble": claims_trouble,
        "verdicts": {v: sum(c["verdict"] == v for c in claims) for v in VERDICTS},
        "sections": sections,
        "circuits_seen": circuits_seen,
        "circuits_trouble": circuits_trouble,
        "failures": failures(table),
        "statuses": {str(k): int(n) for k, n in table["status"].value_counts().items()},
        "provenance": provenance(results),
        "parameters": json.dumps(results.provenance.get("grids", {}), indent=1, ensure_ascii=False, default=str),
    }


def facts(results: Results) -> list[tuple[str, str]]:
    """The size of the run in a few numbers."""
    table = results.table
    cells = table[table["role"] != "ceiling"]
    own = cells[cells["kind"] != "baseline"]
    spent = float(table[["seconds_simulation", "seconds_recording", "seconds_analysis"]].sum().sum())
    return [
        (plain_number(len(table)), "cells"),
        (plain_number(cells[["circuit_label", "subject"]].drop_duplicates().shape[0]), "subjects"),
        (plain_number(cells["circuit_label"].nunique()), "circuits and rivals"),
        (plain_number(cells["instrument_label"].nunique()), "instruments"),
        (plain_number(own["method_label"].nunique()), "methods"),
        (duration_words(spent), "of computing"),
    ]


def duration_words(seconds: float) -> str:
    """Seconds in the unit that suits their size."""
    for limit, size, unit in ((120, 1, "s"), (7200, 60, "min"), (math.inf, 3600, "h")):
        if seconds < limit:
            return f"{plain_number(float(f'{seconds / size:.3g}'))} {unit}"
    return "–"


def paragraphs(text: str) -> list[str]:
    """Text split at blank lines, each paragraph on one line."""
    return [" ".join(part.split()) for part in text.split("\n\n") if part.strip()]


def _claims(results: Results) -> tuple[list[dict[str, Any]], str]:
    try:
        return [claim_row(found) for found in results.claims()], ""
    except SimlabError as error:
        return [], str(error)


def claim_row(found: ClaimResult) -> dict[str, Any]:
    """A checked claim, with the range that its little plot spans."""
    claim, measured = found.claim, found.measured
    numbers = [n for n in (*claim.band, measured.value, measured.low, measured.high) if math.isfinite(n)]
    low, high = min(numbers, default=0.0), max(numbers, default=1.0)
    room = 0.15 * (high - low) or max(abs(low), 1.0) * 0.5
    return {
        "name": claim.name,
        "statement": claim.statement,
        "source": claim.source,
        "band": claim.band,
        "band_words": band_words(*claim.band),
        "measured": measured,
        "verdict": found.verdict,
        "slug": found.verdict.replace(" ", "-"),
        "range": (low - room, high + room),
    }


def band_words(low: float, high: float) -> str:
    """What a claim's band says: exactly, at least, at most, or from one end to the other."""
    if low == high:
        return plain_number(low)
    if math.isinf(high):
        return f"at least {plain_number(low)}"
    return f"at most {plain_number(high)}" if math.isinf(low) else f"{plain_number(low)} to {plain_number(high)}"


def _circuits_seen(results: Results, gallery: Gallery) -> tuple[list[Any], str]:
    from simlab.report.circuit_section import circuits_of, omitted

    spec = results.spec
    if spec is None:
        return [], "The experiment's code could not be found, so its circuits could not be shown."
    left_out = omitted(spec)
    trouble = f"Not shown: {', '.join(left_out)}." if left_out else ""
    return list(circuits_of(results, spec, gallery)), trouble


def provenance(results: Results) -> list[tuple[str, str]]:
    """Everything that tells where the results came from, but the parameters, as names and values."""
    known = results.provenance
    apart = ("asks", "grids", "versions", "machine")
    rows = [(name.replace("_", " "), _plain(value)) for name, value in known.items() if name not in apart]
    rows += [(f"machine: {k}", _plain(v)) for k, v in _mapping(known.get("machine")).items()]
    rows += [(f"version: {k}", _plain(v)) for k, v in _mapping(known.get("versions")).items()]
    engines = results.table["engine"].fillna("").map(str)
    rows += [("engine", f"{name} ({n} cells)") for name, n in engines[engines != ""].value_counts().items()]
    memory = results.table["peak_memory"].dropna()
    if len(memory):
        rows.append(("largest memory of a cell", f"{memory.max() / 2**20:.0f} MiB"))
    return [("run folder", results.folder.name), *rows]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {"": value} if value else {}


def _plain(value: Any) -> str:
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    return value if isinstance(value, str) else json.dumps(value, default=str)


def render(values: Mapping[str, Any]) -> str:
    """The page. Every value is escaped; only the style sheet, which ships with simlab, is not."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    words = {
        "number": plain_number,
        "rate": rate,
        "percent": percent,
        "seconds": duration_words,
        "breakable": breakable,
    }
    environment.filters |= words | {"known": known}
    template = environment.get_template("report.html")
    return template.render(values, style=(HERE / "report.css").read_text(encoding="utf-8"))


def known(value: Any) -> bool:
    """Whether this is a finite number."""
    return isinstance(value, int | float) and math.isfinite(value)


def rate(value: float) -> str:
    """A rate or score with two digits behind the point; `–` where there is none."""
    return f"{value + 0.0:.2f}".replace("-0.00", "0.00").replace("-", "−") if known(value) else "–"


def breakable(text: str) -> Any:
    """Text, escaped, that may break its line after an underscore, a comma or an opening bracket."""
    from markupsafe import Markup, escape

    return Markup(re.sub(r"([_,(=])", r"\1<wbr>", str(escape(text))))


def percent(value: float) -> str:
    """A rate as a whole percentage; `–` where there is none."""
    return f"{value:.0%}" if known(value) else "–"
