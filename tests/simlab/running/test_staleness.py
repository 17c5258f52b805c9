"""Rows know what they were made of: what has changed is run again, or only scored again, and said."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import pytest
from toys import LagCorrelation, Misbehaving, ToyChain, ToyRival

from simlab.contracts import SimlabError
from simlab.experiment import Experiment, Grid, Plan
from simlab.instruments.recording.perfect import Perfect
from simlab.questions.connectivity import Connectivity
from simlab.running.loop import run
from simlab.running.rescoring import score_again
from simlab.store.results import Results

COUNT: list[int] = []


@dataclass(frozen=True)
class Counted(LagCorrelation):
    """Counts how often it analyses."""

    name: ClassVar[str] = "counted"

    def analyse(self, recording, rng):
        COUNT.append(1)
        return super().analyse(recording, rng)


GRID = Grid((ToyChain(),), (Plan(60, 1.0),), (Perfect(),), (Counted(),), rivals=(ToyRival(),), baselines=False)
SPEC = Experiment("tiny", "?", (GRID,), subjects=2, seed=3)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    run(SPEC, tmp_path / "run", archive=False, strict=False)
    COUNT.clear()
    return tmp_path / "run"


def resumed(out: Path, spec: Experiment = SPEC) -> tuple[Results, list[str]]:
    said: list[str] = []
    return run(spec, out, resume=True, archive=False, strict=False, say=said.append), said


def edited(monkeypatch: pytest.MonkeyPatch, cls: type, into: str = "edited") -> None:
    """As if the code of a class had been edited."""
    from simlab.sources import code_hash

    monkeypatch.setattr("simlab.experiment.code_hash", lambda c: into if c is cls else code_hash(c))


def test_what_has_not_changed_is_not_run_again(out):
    results, said = resumed(out)
    assert (len(results.table), COUNT, said) == (4, [], [])


def test_an_edited_method_is_run_again_and_its_old_rows_are_not_mixed_in(out, monkeypatch):
    edited(monkeypatch, Counted)
    results, said = resumed(out)
    assert (len(results.table), len(COUNT)) == (4, 4)
    assert said == ["4 cells are stale and run again: the code of the method has changed (4 cells)"]


def test_an_edited_circuit_costs_its_own_cells_alone(out, monkeypatch):
    edited(monkeypatch, ToyRival)
    results, said = resumed(out)
    assert (len(results.table), len(COUNT)) == (4, 2)
    assert said == ["2 cells are stale and run again: the code of the circuit has changed (2 cells)"]


def test_another_version_of_a_library_is_named(out, monkeypatch):
    monkeypatch.setattr("simlab.experiment.libraries", lambda method: {"numpy": "99.0"})
    _, said = resumed(out)
    assert len(said) == 1
    assert "-> 99.0" in said[0]


def test_a_changed_criterion_scores_again_without_analysing_anew(out):
    assert Results(out).table.query("role == 'circuit'")["recovered"].tolist() == [1, 1]
    results, said = resumed(out, replace(SPEC, questions=(Connectivity(least_mcc=1.01),)))
    assert COUNT == []
    assert said == ["4 cells are scored again from their kept findings: their question has changed"]
    assert results.table.query("role == 'circuit'")["recovered"].tolist() == [0, 0]
    back, _ = resumed(out)
    assert back.table.query("role == 'circuit'")["recovered"].tolist() == [1, 1]


def test_a_run_is_scored_again_as_a_whole(out):
    before = Results(out).table
    again = score_again(out, [Connectivity(least_mcc=1.01)]).table
    assert COUNT == []
    assert again.query("role == 'circuit'")["recovered"].tolist() == [0, 0]
    assert again["mcc"].equals(before["mcc"])
    same = score_again(out).table
    assert same["cell"].tolist() == before["cell"].tolist()
    assert same["recovered"].equals(before["recovered"])


def test_scoring_again_leaves_abstentions_and_errors_as_they_are(tmp_path):
    methods = (Misbehaving("abstain"), Misbehaving("raise"))
    spec = replace(SPEC, grids=(replace(GRID, methods=methods, rivals=()),), subjects=1)
    run(spec, tmp_path / "run", archive=False, strict=False)
    again = score_again(tmp_path / "run", [Connectivity(least_mcc=0.1)]).table
    assert sorted(again["status"]) == ["abstained", "error"]


def test_rows_of_cells_that_are_no_longer_asked_for_are_set_aside_and_said(out):
    said: list[str] = []
    results = run(SPEC, out, resume=True, subjects=1, archive=False, strict=False, say=said.append)
    assert len(results.table) == 2
    assert said == ["2 rows of cells that the experiment no longer has are set aside"]


def test_a_run_folder_of_an_earlier_version_is_refused_with_what_to_do(out):
    written = json.loads((out / "run.json").read_text())
    del written["format"]
    (out / "run.json").write_text(json.dumps(written))
    with pytest.raises(SimlabError, match=r"format 1, and this version of simlab reads format 3.*another folder"):
        run(SPEC, out, resume=True)
    with pytest.raises(SimlabError, match="format 1"):
        score_again(out)


def test_an_answer_is_kept_beside_its_projected_truth(out):
    results = Results(out, SPEC)
    line = results.table.query("role == 'circuit'").iloc[0]
    estimate, truth = results.answer(line["cell"])
    assert estimate["decided"].shape == truth["edge"].shape == (6, 6)
    assert (estimate["decided"] == truth["edge"].values).all()
    assert len(list(results.answers("connectivity"))) == 4
