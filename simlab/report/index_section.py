"""What the first page of a report says: what was asked, how much was run, claims, failures, provenance."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simlab.contracts import SimlabError
from simlab.report import glossary, tables
from simlab.report.figures import plain_number
from simlab.report.material import Material
from simlab.report.words import band_words, duration_words, paragraphs, shortened

if TYPE_CHECKING:
    from simlab.claims import ClaimResult
    from simlab.store.results import Results

VERDICTS = ("holds", "fails", "undecided", "not measured")
LONGEST = 200_000
"""Characters of the grid's parameters that are shown; `run.json` has them all."""


@dataclass(frozen=True)
class IndexSection:
    """The run as a whole."""

    name: str
    asks: list[str]
    facts: list[tuple[str, str]]
    claims: list[dict[str, Any]]
    claims_trouble: str
    verdicts: dict[str, int]
    failures: list[dict[str, Any]]
    statuses: dict[str, int]
    words: dict[str, str]
    provenance: list[tuple[str, str]]
    parameters: str


def index_section(material: Material) -> IndexSection:
    """Everything that the report says of the run as a whole."""
    results, table = material.results, material.table
    claims, trouble = _claims(results)
    grids = json.dumps(results.provenance.get("grids", {}), indent=1, ensure_ascii=False, default=str)
    return IndexSection(
        results.experiment,
        paragraphs(results.asks),
        facts(results),
        claims,
        trouble,
        {v: sum(c["verdict"] == v for c in claims) for v in VERDICTS},
        tables.failures(table),
        {str(k): int(n) for k, n in table["status"].value_counts().items()},
        glossary.WORDS,
        provenance(results),
        shortened(grids, LONGEST),
    )


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


def _claims(results: Results) -> tuple[list[dict[str, Any]], str]:
    try:
        return [claim_row(found) for found in results.claims()], ""
    except SimlabError as error:
        return [], f"The claims cannot be checked: {error}. All else on these pages is of the rows that were kept."


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


def provenance(results: Results) -> list[tuple[str, str]]:
    """Everything that tells where the results came from, but the parameters, as names and values."""
    known = results.provenance
    apart = ("asks", "grids", "versions", "machine")
    rows = [(name.replace("_", " "), _plain(value)) for name, value in known.items() if name not in apart]
    rows += [(f"machine: {k}", _plain(v)) for k, v in _mapping(known.get("machine")).items()]
    rows += [(f"version: {k}", _plain(v)) for k, v in _mapping(known.get("versions")).items()]
    engines = results.table["engine"].fillna("").map(str)
    rows += [("ran on", f"{name} ({n} cells)") for name, n in engines[engines != ""].value_counts().items()]
    memory = results.table["peak_memory"].dropna()
    if len(memory):
        rows.append(("largest memory of a cell", f"{memory.max() / 2**20:.0f} MiB"))
    return [("run folder", results.folder.name), *((name, shortened(value, 2000)) for name, value in rows)]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {"": value} if value else {}


def _plain(value: Any) -> str:
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    return value if isinstance(value, str) else json.dumps(value, default=str)
