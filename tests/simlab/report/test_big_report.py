"""A report of 18 questions, 70 methods and 40 circuits can be opened: many small pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from big_ledger import write_big_ledger

from simlab.report import write_report
from simlab.store.results import Results

LARGEST = 1_500_000
"""Bytes of a page, its figures apart."""


def sizes(index: Path) -> dict[str, int]:
    return {file.stem: file.stat().st_size for file in index.parent.glob("*.html")}


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_no_page_of_the_big_ledgers_report_is_large(tmp_path):
    found = sizes(write_report(Results(write_big_ledger(tmp_path / "run"))))
    assert len(found) == 1 + 18 + 70 + 40
    assert max(found.values()) < LARGEST, max(found, key=found.get)


def test_a_page_grows_no_faster_than_what_it_tells(tmp_path):
    found = sizes(write_report(Results(write_big_ledger(tmp_path / "run", 2, 9, 4))))
    assert len(found) == 1 + 2 + 9 + 4
    squares, standings = 2 * 11 * 4, 2 * 9
    assert found["index"] < 30_000 + 40 * squares + 1_500 * standings
    assert max(size for name, size in found.items() if name.startswith("question")) < 20_000 + 11 * (4_500 + 80 * 4)
