"""What circuit, instrument or house do wrong is booked to no method, however the method takes it."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import ClassVar

import pytest
from toys import Disguised, LagCorrelation, PulseAndCount, ToyChain

from simlab.errors import HouseFault
from simlab.experiment import Experiment, Grid, Plan
from simlab.instruments.recording.perfect import Perfect
from simlab.lab.memory import forget
from simlab.running.loop import run
from simlab.store.archive import Archive, ArchiveError


@dataclass(frozen=True)
class Forgiving(PulseAndCount):
    """Goes on whatever its rig raises."""

    name: ClassVar[str] = "forgiving"

    def investigate(self, rig, rng):
        with contextlib.suppress(Exception):
            return super().investigate(rig, rng)
        return self.abstain()

    def abstain(self):
        from simlab.contracts import Finding

        return Finding.abstain("the rig was broken")


@dataclass(frozen=True)
class Fragile(ToyChain):
    """Runs its natural task alone."""

    name: ClassVar[str] = "fragile"

    def subject(self, rng):
        return FragileSubject(super().subject(rng))


class FragileSubject(Disguised):
    def run(self, session, rng):
        if session.perturbations:
            raise ZeroDivisionError("this circuit has a mistake in it")
        return self._subject.run(session, rng)


def experiment(circuit, *methods) -> Experiment:
    grid = Grid((circuit,), (Plan(200, 1.0),), (Perfect(),), methods, baselines=False)
    return Experiment("blame", "?", (grid,), subjects=1)


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("method", [PulseAndCount(repeats=3), Forgiving(repeats=3)], ids=lambda m: m.name)
def test_a_circuit_that_fails_at_the_rig_is_a_fault_and_no_error_of_the_method(tmp_path, method, strict):
    spec = experiment(Fragile(), method, LagCorrelation())
    table = run(spec, tmp_path / "run", archive=False, strict=strict, seed=2026).table.set_index("method")
    assert table["status"].to_dict() == {method.name: "fault", "lag_correlation": "ok"}
    assert "ZeroDivisionError: this circuit has a mistake in it" in table["reason"][method.name]
    board = run(spec, tmp_path / "run", archive=False, strict=strict, resume=True).leaderboard()
    assert not board["method_label"].str.startswith(method.name).any() or board["error_rate"].fillna(0).eq(0).all()


@pytest.mark.parametrize("strict", [False, True])
def test_an_archive_that_cannot_be_written_ends_the_run_and_is_no_row(tmp_path, monkeypatch, strict):
    write = Archive.write

    def full(self, name, activity):
        if activity.sizes["trial"] < 200:  # what the rig asks for
            raise ArchiveError("the archive cannot be written (no space): free some")
        write(self, name, activity)

    monkeypatch.setattr(Archive, "write", full)
    forget()
    with pytest.raises(HouseFault, match="no space"):
        run(
            experiment(ToyChain(), LagCorrelation(), Forgiving(repeats=3)),
            tmp_path / "run",
            archive=tmp_path / "archive",
            strict=strict,
            seed=1,
        )
    from simlab.store.results import Results

    assert Results(tmp_path / "run").table["method"].tolist() == ["lag_correlation"]
