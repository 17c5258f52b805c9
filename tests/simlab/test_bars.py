"""Who sees how far a run is: a bar on a terminal, a line now and then elsewhere, nothing where nothing is wanted."""

from __future__ import annotations

import sys

import pytest

from simlab import bars, progress

ROW = {"circuit": "ring", "instrument": "subsample", "method": "[bold]odd"}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that goes only when told to."""
    now = [1000.0]
    monkeypatch.setattr(bars.time, "monotonic", lambda: now[0])
    return now


def test_your_own_callable_is_passed_on_and_false_is_silence() -> None:
    mine = lambda done, total, row: None  # noqa: E731
    with bars.progress_bar(mine) as told:
        assert told is mine
    with bars.progress_bar(False) as told:
        assert told is None


def test_a_short_run_without_a_terminal_prints_nothing(clock, capsys) -> None:
    with bars.progress_bar() as told:
        for done in range(1, 41):
            clock[0] += 0.5
            told(done, 40, ROW)
    assert capsys.readouterr().err == ""


def test_a_long_run_without_a_terminal_prints_a_line_now_and_then(clock, capsys) -> None:
    with bars.progress_bar() as told:
        for done in range(1, 401):
            clock[0] += 6.0
            told(done, 400, ROW)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 10
    assert lines[0] == "40 of 400 cells, about 36 min left"
    assert lines[-1] == "400 of 400 cells"


def test_a_slow_tenth_is_not_silent_for_longer_than_ten_minutes(clock, capsys) -> None:
    with bars.progress_bar() as told:
        for done in range(1, 9):
            clock[0] += 400.0
            told(done, 1000, ROW)
    assert len(capsys.readouterr().err.splitlines()) == 4


def test_asked_for_a_script_prints_every_tenth_at_once(clock, capsys) -> None:
    with bars.progress_bar(True) as told:
        for done in range(1, 31):
            told(done, 30, ROW)
    assert [line.split(",")[0] for line in capsys.readouterr().err.splitlines()][::9] == [
        "3 of 30 cells",
        "30 of 30 cells",
    ]


def test_a_run_that_goes_on_judges_the_rest_by_what_it_did_itself(clock) -> None:
    watch = bars.Clock()
    clock[0] += 10.0
    assert watch.left(901, 1000) == ", about 16 min left"  # 99 cells of 10 s
    clock[0] += 10.0
    assert watch.left(902, 1000) == ", about 16 min left"
    assert watch.left(1000, 1000) == ""


@pytest.mark.parametrize(("seconds", "words"), [(5, "5 s"), (119, "119 s"), (600, "10 min"), (9000, "2.5 h")])
def test_times_come_in_the_unit_that_suits_them(seconds: float, words: str) -> None:
    assert bars.in_words(seconds) == words


def test_a_terminal_gets_a_bar_with_the_remaining_time_and_names_as_they_are(monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    with bars.progress_bar() as told:
        told(3, 4, ROW)
    printed = capsys.readouterr().err
    assert "3/4" in printed
    assert "ring / subsample / [bold]odd" in printed
    assert ":--" in printed  # the remaining time


def test_one_long_simulation_is_heard_through_progress_reports(clock, capsys) -> None:
    with bars.simulation_bar():
        clock[0] += 40.0
        progress.report(0.5, "simulating")
    assert capsys.readouterr().err == "50 of 100 percent, about 40 s left\n"
    progress.report(1.0, "nobody listens any more")
    assert capsys.readouterr().err == ""
