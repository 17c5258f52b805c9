"""Executors that break, cancel or are closed: no cell is lost but the killer's, and what the user did wrong is said."""

from __future__ import annotations

from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import pytest
from toys import LagCorrelation, ToyChain, ToyRival

from simlab.contracts import SimlabError
from simlab.experiment import Experiment, Grid, Plan
from simlab.instruments.recording.perfect import Perfect
from simlab.running.executors import Inline
from simlab.running.loop import run


def tiny() -> Experiment:
    grid = Grid((ToyChain(),), (Plan(30, 1.0),), (Perfect(),), (LagCorrelation(),), rivals=(ToyRival(),))
    return Experiment("tiny", "?", (grid,), subjects=1, time_limit=5.0)


class Fragile(Executor):
    """Does what a test plans for its first submissions: `break`, `cancel`, or, for None, the work."""

    def __init__(self, *plan):
        self.plan = list(plan)

    def submit(self, work, /, *arguments):
        what = self.plan.pop(0) if self.plan else None
        if what == "break":
            raise BrokenProcessPool("a worker died")
        if what == "cancel":
            future = Future()
            future.cancel()
            future.set_running_or_notify_cancel()
            return future
        return Inline().submit(work, *arguments)


@pytest.mark.parametrize("plan", [("break",), ("cancel",), (None, "cancel", "break")])
def test_a_broken_or_cancelling_executor_costs_no_row(tmp_path, monkeypatch, plan):
    monkeypatch.setattr("simlab.running.executors.Workers.make", lambda self: Inline())
    table = run(tiny(), tmp_path / "run", executor=Fragile(*plan), archive=False, progress=False).table
    assert len(table) == len(list(tiny().cells()))
    assert (table["status"] == "ok").all()


def test_a_closed_executor_is_a_clear_error(tmp_path):
    with ThreadPoolExecutor(1) as closed:
        pass
    with pytest.raises(SimlabError, match="give one that was not shut down"):
        run(tiny(), tmp_path / "run", executor=closed, archive=False, progress=False)
