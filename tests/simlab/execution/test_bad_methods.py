"""Whatever a method does, it is one outcome of its own: in this process, sealed, and in workers."""

from __future__ import annotations

import pandas as pd
import pytest
from bad_methods import KINDS, Bad, BettiChain, Innocent

from simlab.checks.problem import BRIEF, spiking_recording
from simlab.execution import limits
from simlab.execution.execute import execute
from simlab.experiment import Experiment, Grid, Plan
from simlab.instruments.recording.perfect import Perfect
from simlab.running.loop import run
from simlab.store.columns import TIMINGS

LIMITS = {"entropy": 7, "time_limit": 0.4, "memory_limit": 2**28}
LONGEST = 20_000
"""Characters of an error and its traceback, and of what is kept of an abstention."""

HERE = [how for how, (_, _, where) in KINDS.items() if where == "anywhere"]


@pytest.fixture(scope="module")
def recording():
    return spiking_recording(4, 1.0).assign_attrs(brief=BRIEF)


@pytest.fixture(scope="module")
def untouched(recording):
    return execute(Innocent(), recording, **LIMITS).finding.estimate


@pytest.fixture(autouse=True)
def hasty(monkeypatch):
    """A sleeper is given up sooner than in a real run."""
    monkeypatch.setattr(limits, "WALL_SLACK", 2.0)


def status(outcome) -> str:
    if outcome.finding is None:
        return "error"
    return "abstained" if outcome.finding.abstained else "ok"


def check(how: str, outcome) -> None:
    assert status(outcome) == KINDS[how][1], outcome
    said = (outcome.error, outcome.traceback, outcome.finding.abstained if outcome.finding else "")
    assert sum(map(len, said)) < LONGEST
    for text in said:
        text.encode()  # no surrogate
        assert "\x1b" not in text
        assert "\x00" not in text
    assert "\n" not in outcome.error


@pytest.mark.parametrize("how", HERE)
def test_in_this_process_it_is_an_outcome_and_nobody_else_s(how, recording, untouched):
    check(how, execute(Bad(how), recording.copy(deep=True), strict=False, **LIMITS))
    assert execute(Innocent(), recording, strict=False, **LIMITS).finding.estimate == untouched


@pytest.mark.parametrize("how", KINDS)
def test_sealed_it_is_an_outcome(how, recording):
    check(how, execute(Bad(how), recording, strict=True, **LIMITS))


def test_sealed_the_innocent_find_the_same(recording, untouched):
    assert execute(Innocent(), recording, strict=True, **LIMITS).finding.estimate == untouched


IN_WORKERS = (
    "raises_exit", "raises_surrogate", "none", "is_astronomical", "abstains_at_length", "notes_object",
    "warnings_as_errors", "patches_numpy", "patches_the_house", "environment", "folder", "import_path", "streams",
    "collector", "leaves_a_thread", "leaves_a_child", "leaves_an_exit_handler", "closes_its_streams",
    "ignores_signals", "takes_memory", "spins", "dies", "kills_its_group",
)  # fmt: skip
"""Some of every sort: a worker seals methods as the tests above do (and knows the real patience with sleepers)."""


def test_in_workers_they_are_rows_and_the_innocent_rows_are_the_same(tmp_path):
    def rows(*methods, **how) -> pd.DataFrame:
        grid = Grid((BettiChain(),), (Plan(5, 1.0),), (Perfect(),), methods, baselines=False)
        spec = Experiment("bad", "?", (grid,), subjects=1, time_limit=0.4, memory_limit=2**28)
        table = run(spec, tmp_path / f"run-{len(methods)}", archive=False, **how).table
        return table.drop(columns=[*TIMINGS, "engine", "cell", "position"])

    everyone = rows(*(Bad(how) for how in IN_WORKERS), Innocent(), workers=2)
    alone = rows(Innocent(), strict=False)
    bad = everyone[everyone["method"] == "bad"]
    told = dict(zip(bad["method.how"], bad["status"], strict=True))
    assert told == {how: KINDS[how][1] for how in IN_WORKERS}
    innocent = everyone[everyone["method"] == "innocent"].drop(columns="method.how").reset_index(drop=True)
    pd.testing.assert_frame_equal(innocent[alone.columns], alone, check_dtype=False)
