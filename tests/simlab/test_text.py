"""Whatever a method says is clean and short where it enters, and no method can end a run by what it says."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest
from toys import LagCorrelation, ToyChain

from simlab import text
from simlab.contracts import Finding, Needs, SimlabError, Variable
from simlab.execution.outcome import Outcome, admitted, one_line, trace_of
from simlab.experiment import Experiment, Grid, Plan
from simlab.instruments.recording.perfect import Perfect
from simlab.questions.form import checked, validate
from simlab.registry import question
from simlab.running.loop import run

HOSTILE = "a\ud800b\x00c \x1b[31mred\x1b[0m\n\u202eevil\u202c\u200b \x1b]0;title\x07end\x9b2J\uffff"
CLEAN = "a\ufffdbc red evil end\ufffd"


def test_a_line_is_free_of_all_that_cannot_be_kept_or_shown():
    assert text.line(HOSTILE) == CLEAN
    assert text.line("e\u0301") == "\u00e9"
    assert text.line("  two\t\u2028 words\r\n") == "two words"
    assert text.line("x" * 10_000) == "x" * (text.LONGEST_LINE - 1) + "…"
    assert text.line(text.line(HOSTILE)) == text.line(HOSTILE)


def test_a_traceback_keeps_its_lines_and_its_end():
    assert text.lines("  File\x1b[0m\r\n\tline\x00\n") == "  File\n    line"
    long = text.lines("first\n" + "x\n" * 10_000 + "last")
    assert len(long) == text.LONGEST_TRACE
    assert long.startswith("…")
    assert long.endswith("last")


def test_long_labels_are_cut_and_stay_apart():
    first, second = text.label("x" * 10_000 + "a"), text.label("x" * 10_000 + "b")
    assert first != second
    assert max(len(first), len(second)) <= text.LONGEST_LABEL
    assert text.label(first) == first
    assert text.label("ring attractor") == "ring attractor"


class Rude:
    def __repr__(self):
        raise ValueError("no")


def test_what_any_object_looks_like_is_said_without_addresses_and_without_raising():
    assert text.shown(object()) == "<object object>"
    assert text.shown(Rude()) == "<Rude instance>"
    assert len(text.shown("y" * 10_000_000)) <= 4 * text.LONGEST_LABEL


def test_notes_are_plain_short_and_shallow_whatever_they_hold():
    cycle: list[Any] = []
    cycle.append(cycle)
    notes = {
        "lags": np.arange(3), "all": np.zeros((20, 30)), "odd": {1}, "rude": Rude(), HOSTILE: HOSTILE, 5: (1, None),
        "cycle": cycle, "big": 10**10_000, "hollow": np.zeros((1000, 1000, 0)),
    }  # fmt: skip
    plain = text.plain_notes(notes)
    assert plain["lags"] == [0, 1, 2]
    assert plain["all"] == "array of shape (20, 30)"
    assert (plain["odd"], plain["5"], plain[CLEAN]) == ("{1}", [1, None], CLEAN)
    assert "shape" in plain["hollow"]
    json.dumps(plain)
    assert text.plain_notes(plain) == plain


LARGE_NOTES = {
    "many": lambda: {f"n{i}": "x" * 1000 for i in range(100_000)},
    "wide": lambda: {"wide": [[[[[[]] * 100] * 100] * 100] * 100] * 100},
    "numbers": lambda: {"numbers": list(range(1_000_000))},
    "text": lambda: {"text": "y" * 100_000_000},
}
"""Made when they are asked for: what pytest is given as a parameter stays for as long as it runs."""


@pytest.mark.parametrize("kind", LARGE_NOTES)
def test_notes_of_any_size_are_cut_to_theirs(kind):
    plain = text.plain_notes(LARGE_NOTES[kind]())
    assert len(json.dumps(plain)) < 2 * text.NOTES_SIZE
    assert len(plain) <= text.NOTES_SIZE / 4


def test_notes_that_raise_are_named_and_the_finding_stands():
    class Cursed(dict):
        def __iter__(self):
            raise RuntimeError("no")

    assert text.plain_notes(Cursed(a=1)) == {"unreadable": "the notes raised RuntimeError"}


class Raises(Exception):
    def __str__(self):
        raise KeyboardInterrupt


class NoText(Exception):
    def __str__(self):
        return 3


EXCEPTIONS = {
    "str raises": Raises,
    "str is a number": NoText,
    "name": lambda: type("Evil\x1b[31m\nname" + "x" * 1000, (Exception,), {})("m"),
    "huge": lambda: Exception("z" * 300_000_000),
    "text": lambda: Exception(HOSTILE),
}


@pytest.mark.parametrize("kind", EXCEPTIONS)
def test_any_exception_is_told_in_one_clean_line_and_a_clean_traceback(kind):
    problem = EXCEPTIONS[kind]()
    try:
        raise problem
    except BaseException as raised:
        said, trace = one_line(raised), trace_of(raised)
    assert said == text.line(said)
    assert 0 < len(said) <= text.LONGEST_LINE
    assert len(trace) <= text.LONGEST_TRACE
    assert trace == text.lines(trace)
    assert "test_text.py" in trace
    assert trace.endswith(said)


def test_a_traceback_tells_what_led_to_the_error():
    try:
        try:
            raise KeyError("first")
        except KeyError as first:
            raise ValueError("second") from first
    except ValueError as second:
        trace = trace_of(second)
    assert trace.index("KeyError: 'first'") < trace.index("ValueError: second")


def test_labels_reasons_and_notes_of_a_finding_enter_clean():
    asked, sizes = question("mechanism"), {"unit": 3}
    with pytest.raises(SimlabError) as refused:
        validate(Finding({"label": HOSTILE * 1000}), asked, sizes, {"candidates": ("chain",)})
    assert len(str(refused.value)) < 500
    assert str(refused.value).isprintable()
    assert validate(Finding.abstain(HOSTILE), asked, sizes).abstained == CLEAN
    assert validate(Finding.abstain("\x00\u200b"), asked, sizes).abstained != ""
    free = {"group": Variable(("unit",), "label")}
    labels = checked({"group": ["E\x00", "x" * 10_000, "y"]}, free, "assemblies", sizes, {})["group"].tolist()
    assert (labels[0], labels[2]) == ("E", "y")
    assert len(labels[1]) <= text.LONGEST_LABEL


def test_a_label_that_equals_everything_is_still_refused():
    class Anything(str):
        def __eq__(self, other):
            return True

        __hash__ = str.__hash__

    with pytest.raises(SimlabError, match="must be one of chain"):
        validate(Finding({"label": Anything("ring")}), question("mechanism"), {}, {"candidates": ("chain",)})


def test_a_finding_whose_own_objects_raise_is_an_error_of_one_line():
    class Cursed:
        def __array__(self, *_, **__):
            raise RuntimeError(HOSTILE)

    raw = Outcome(Finding({"score": Cursed(), "decided": 1, "sign": 1}), "", "", False, 0.1, 0)
    outcome = admitted(raw, question("connectivity"), {"unit": 2}, {})
    assert outcome.finding is None
    assert outcome.error == f"RuntimeError: {CLEAN}"


@dataclass(frozen=True)
class Speaker:
    """Says what no file can hold, in the way that it is told to."""

    name: ClassVar[str] = "speaker"
    question: ClassVar[str] = "connectivity"
    family, library = "mischief", "own"
    needs: ClassVar[Needs] = Needs()
    how: str = "abstain"

    def analyse(self, recording, rng):
        if self.how == "abstain":
            return Finding.abstain(HOSTILE * 1000)
        if self.how == "raise":
            raise ValueError(HOSTILE * 1000)
        finding = LagCorrelation().analyse(recording, rng)
        return Finding(finding.estimate, 0.5, notes={HOSTILE: HOSTILE, "much": "x" * 10_000_000})


def test_no_method_ends_a_run_or_bloats_its_ledger_by_what_it_says(tmp_path):
    methods = tuple(Speaker(how) for how in ("abstain", "raise", "notes"))
    grid = Grid((ToyChain(),), (Plan(20, 1.0),), (Perfect(),), methods, baselines=False)
    results = run(Experiment("talk", "?", (grid,), subjects=1), tmp_path / "run", archive=False)
    assert results.table["status"].tolist() == ["abstained", "error", "ok"]
    assert all(len(reason) <= text.LONGEST_LINE and reason == text.line(reason) for reason in results.table["reason"])
    results.ledger.close()
    connection = sqlite3.connect(tmp_path / "run" / "ledger.sqlite")
    assert connection.execute("SELECT count(*) FROM cells").fetchone() == (3,)
    assert (tmp_path / "run" / "ledger.sqlite").stat().st_size < 500_000
