"""Disputed frames: bred where candidates disagree, of the task's size, and recorded within the budget."""

from __future__ import annotations

import numpy as np
import pytest
from planted_models import beside, filters, half_squares, seeing

from circuits.attractors.ring_attractor import RingAttractor
from circuits.coding.unseeing_cells import UnseeingCells
from circuits.coding.v1_complex import V1Complex
from circuits.coding.v1_simple import V1Simple
from circuits.coding.visual import Look
from methods.models import most_disputed
from methods.models._candidates import beside as read
from methods.models.most_disputed import Fitted, MostDisputed
from simlab.candidates import Model
from simlab.contracts import SimlabError
from simlab.experiment import Cell, Plan
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.stimulating.ideal import Ideal
from simlab.lab.cell import run_cell
from simlab.lab.row import Settings
from simlab.questions.model_choice import ModelChoice
from simlab.session import Session, Stimulus
from simlab.store.packing import unpack_finding

LOOK = Look(side=5)
MODELS = (
    Model(V1Simple(n_neurons=40, look=LOOK), "simple"),
    Model(V1Complex(n_neurons=40, look=LOOK), "complex"),
    Model(V1Simple(look=Look(side=9)), "other frames"),
)
ASKED = ModelChoice(models=MODELS, step=LOOK.frame)
TEN = Plan(10, 5.0)
SHORT = MostDisputed(pool=100, generations=3, duration=5.0)


@pytest.fixture(scope="module")
def settings(tmp_path_factory) -> Settings:
    return Settings(seed=3, time_limit=60, memory_limit=2**31, archive=str(tmp_path_factory.mktemp("archive")))


def row_of(circuit, settings, method=SHORT, plan=TEN, asked=ASKED) -> dict:
    return run_cell(Cell(circuit, 1, plan, Perfect(), method, question=asked, stimulator=Ideal()), settings)[0]


@pytest.mark.parametrize("kind", [V1Simple, V1Complex])
def test_who_is_right_about_disputed_frames_is_of_the_kind(kind, settings):
    row = row_of(kind(n_neurons=6, mean_rate=20.0, look=LOOK), settings)
    assert (row["status"], row["recovered"], row["spent_trials"]) == ("ok", 1.0, 10)
    score = unpack_finding(row["finding"]).estimate["score"]
    assert score[1] == score.min()  # who cannot see it is last


def test_nobody_is_right_about_cells_that_see_nothing(settings):
    row = row_of(UnseeingCells(like=V1Simple(n_neurons=6, mean_rate=20.0, look=LOOK)), settings)
    score = unpack_finding(row["finding"]).estimate["score"]
    assert np.abs(score[[0, 2]]).max() < 0.2


def test_a_task_without_a_stimulus_and_a_small_budget_are_declined(settings):
    cells = V1Simple(n_neurons=6, mean_rate=20.0, look=LOOK)
    assert "4 trials" in row_of(cells, settings, plan=Plan(3, 5.0))["reason"]
    # a ring's task shows a bump's cue, which candidates that look at frames cannot see
    refused = row_of(RingAttractor(), settings, plan=Plan(4, 1.5), asked=ModelChoice(models=MODELS[:1]))
    assert refused["status"] == "abstained"


def test_disputed_frames_are_those_on_which_fitted_candidates_differ():
    told = seeing("half_squares", trials=20)
    found = read(told)
    fitted = Fitted.to(found)
    first = told.isel(trial=slice(0, 1))
    dispute = fitted.dispute(first, 60)
    said = [fitted.said(found.models[k][:60], k) for k in (1, 2)]
    by_hand = (((said[0] - said[1]) / 2) ** 2 / found.units.std(axis=0) ** 2).mean(axis=1)
    assert dispute == pytest.approx(by_hand, rel=1e-4)
    assert fitted.said(found.models[1], 0) is None  # nobody was fitted there
    shown = told["stimulus"].values
    same = half_squares(shown, filters(20, 5, np.random.default_rng(0)))
    twins = beside({"a": same, "b": same}, counts=np.random.default_rng(1).poisson(1.0, (20, 60, 6)))
    assert Fitted.to(read(twins)).dispute(twins.isel(trial=slice(0, 1)), 60).max() == pytest.approx(0, abs=1e-12)


def test_bred_frames_have_the_length_of_the_tasks_and_fill_its_trials():
    rng = np.random.default_rng(0)
    usual = rng.standard_normal((50, 9))
    made = most_disputed._varied(usual[:30], usual, 3.0, rng)
    assert made.shape == (30, 9)
    assert np.linalg.norm(made, axis=1) == pytest.approx(3.0)
    assert any(np.allclose(one / 3.0, -pool / np.linalg.norm(pool)) for one in made for pool in usual[:30])
    task = Session(2, 1.0, Stimulus(tuple("abcdefghi"), rng.standard_normal((2, 10, 9)), 0.1))
    shown = most_disputed._showing(task, usual[:7], rng).stimulus.values
    assert shown.shape == (2, 10, 9)
    counts = [int((np.abs(shown.reshape(20, 9) - frame).max(axis=1) < 1e-12).sum()) for frame in usual[:7]]
    assert sum(counts) == 20
    assert set(counts) <= {2, 3}
    row = most_disputed.in_a_row(task, usual)
    assert (row.trials, row.duration, row.stimulus.values.shape) == (1, pytest.approx(5.0), (1, 50, 9))
    with pytest.raises(SimlabError):
        MostDisputed(pool=3)
