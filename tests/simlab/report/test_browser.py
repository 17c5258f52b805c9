"""In a real browser every page of a report opens without complaint, sorts, filters, and runs nobody's text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from big_ledger import LONG, big_rows
from browser import CHROMIUM, Browser
from synthetic_run import write_run

from simlab.report import write_report
from simlab.store.results import Results

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: install it to test the report")

HOSTILE = (
    "<script>document.title='taken'</script>",
    "</style></script><img src=x onerror=document.title='taken'>",
    'x" onmouseover="document.title=1" href="javascript:document.title=2',
    "javascript:alert(1)",
    "{{ 7*7 }}${7*7}<svg onload=alert(1)>",
)
CELLS = "Array.from(document.querySelectorAll('{}')).map(e => e.textContent.trim())"


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report whose every text that a user may write is hostile."""
    rows = list(big_rows(2, 10, 6, np.random.default_rng(1)))
    for number, row in enumerate(rows):
        i = number % len(HOSTILE)
        row |= {"twin": HOSTILE[i], "mechanism": HOSTILE[0], "family": HOSTILE[1], "library": HOSTILE[2]}
        row |= {"reason": HOSTILE[i] if row["reason"] else "", "engine": HOSTILE[3]}
        row["method_label"] += HOSTILE[1] if row["method"].endswith("03") else ""
        for name in ("method", "circuit", "instrument"):
            row[f"{name}_label"] += HOSTILE[4] if row[name].endswith(("02", "pikes", "electrodes")) else ""
        if row["question"] == "effect":
            row["question"] = HOSTILE[0]
    spec = SimpleNamespace(name=HOSTILE[0], asks="\n\n".join(HOSTILE), subjects=1)
    return write_report(Results(write_run(tmp_path_factory.mktemp("hostile") / "run", spec, rows)))


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    opened = Browser(tmp_path_factory.mktemp("profile"))
    yield opened
    opened.close()


def test_every_page_opens_without_complaint_and_runs_nobodys_text(browser, index):
    pages = sorted(index.parent.glob("*.html"))
    assert len(pages) == 1 + 2 + 10 + 6
    for page in pages:
        browser.open(page)
        assert browser.complaints() == [], page.name
        assert browser.run("document.title").endswith("· simlab report"), page.name
        assert browser.run("Array.from(document.images).every(i => i.complete && i.naturalWidth > 0)"), page.name
        assert browser.run("document.querySelectorAll('script, style, iframe, object, form, base').length") == 1
        assert browser.run("document.body.innerHTML.length") > 500


def test_nothing_of_a_users_text_becomes_an_element_or_a_link(browser, index):
    for page in index.parent.glob("*.html"):
        browser.open(page)
        links = browser.run("Array.from(document.links).map(a => a.getAttribute('href'))")
        assert not [link for link in links if ":" in link], page.name
        assert browser.run("document.querySelectorAll('[onerror], [onload], [onmouseover], [src=x]').length") == 0
    browser.open(index)
    assert all(text in browser.run("document.body.innerText") for text in HOSTILE)


def test_what_the_policy_forbids_is_refused(browser, index):
    browser.open(index)
    browser.run("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"document.title=1\">')")
    added = "const s = document.createElement('script'); s.textContent = 'document.title=2'; document.body.append(s)"
    browser.run(f"(() => {{ {added} }})()")
    assert browser.run("new Promise(done => setTimeout(() => done(document.title), 200))").endswith("simlab report")


def test_a_click_on_a_head_sorts_each_league_by_itself_and_a_third_restores(browser, index):
    browser.open(index.parent / "question-connectivity.html")
    column = CELLS.format(".board tbody:first-of-type tr:not(.head) td:nth-child(4)")
    head = "document.querySelectorAll('.board thead th')[3]"
    as_written = browser.run(column)
    browser.run(f"{head}.click()")
    falling = [float(text.replace("−", "-")) for text in browser.run(column) if text != "–"]
    assert falling == sorted(falling, reverse=True)
    assert browser.run(f"{head}.getAttribute('aria-sort')") == "descending"
    browser.run(f"{head}.dispatchEvent(new KeyboardEvent('keydown', {{key: 'Enter'}}))")
    rising = [float(text.replace("−", "-")) for text in browser.run(column) if text != "–"]
    assert rising == falling[::-1]
    assert browser.run(column)[-1:] != ["–"] or "–" in as_written  # what is missing stays last
    browser.run(f"{head}.click()")
    assert browser.run(column) == as_written
    assert browser.run(CELLS.format(".board .head"))[0].startswith("League 1: ")


def test_bars_are_sorted_by_the_value_that_they_show(browser, index):
    browser.open(index.parent / "question-connectivity.html")
    browser.run("document.querySelectorAll('.board thead th')[1].click()")
    shown = browser.run(CELLS.format(".board tbody:first-of-type tr:not(.head) td:nth-child(2) b"))
    assert [float(text) for text in shown] == sorted((float(text) for text in shown), reverse=True)


def test_the_columns_of_a_matrix_are_sorted_too(browser, index):
    browser.open(index)
    browser.run("document.querySelector('.matrix .turned').click()")
    told = browser.run(CELLS.format("details:first-of-type .matrix tbody td:nth-child(2)"))
    shown = [int(text) for text in told if text.isdigit()]
    assert len(shown) > 5
    assert shown == sorted(shown, reverse=True)


def test_a_text_box_filters_rows_by_all_its_words(browser, index):
    browser.open(index.parent / "question-connectivity.html")
    shown = "Array.from(document.querySelectorAll('.board tbody tr:not(.head)')).filter(r => !r.hidden).length"
    everything = browser.run(shown)
    box = "document.querySelector('.filter input')"

    def typed(text: str) -> int:
        browser.run(f"{box}.value = {text!r}; {box}.dispatchEvent(new Event('input'))")
        return browser.run(shown)

    assert typed("REGRESSION") == 2
    assert typed("regression 08") == 1
    assert typed(LONG[:100].lower()) == 1  # cut on the page, but told when pointed at
    assert typed("<script>") == 0
    assert typed("") == everything
    assert browser.complaints() == []


def test_pages_print_without_their_tools(browser, index):
    browser.open(index)
    browser.call("Emulation.setEmulatedMedia", media="print")
    assert browser.run("getComputedStyle(document.querySelector('.filter')).display") == "none"
    browser.call("Emulation.setEmulatedMedia", media="")


def test_one_file_works_as_well(browser, tmp_path):
    rows = list(big_rows(1, 8, 2, np.random.default_rng(1)))
    spec = SimpleNamespace(name=HOSTILE[0], asks=HOSTILE[1], subjects=1)
    browser.open(write_report(Results(write_run(tmp_path / "run", spec, rows)), tmp_path / "all.html"))
    assert browser.complaints() == []
    assert browser.run("document.querySelectorAll('.filter').length") > 1
    assert browser.run("getComputedStyle(document.querySelector('.r10')).backgroundColor") == "rgb(8, 74, 124)"
