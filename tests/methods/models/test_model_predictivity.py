"""A choice among models by prediction: right for simple cells, in the lab and at a rig, and fooled by a rich basis."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest
import xarray as xr

from circuits.attractors.ring_attractor import RingAttractor
from circuits.coding.unseeing_cells import UnseeingCells
from circuits.coding.v1_complex import V1Complex
from circuits.coding.v1_simple import V1Simple
from circuits.coding.visual import Look
from methods.models._candidates import beside, folds
from methods.models.model_predictivity import ModelPredictivity, median_correlation
from simlab.candidates import Model
from simlab.contracts import Finding, Needs, SimlabError
from simlab.data import recording
from simlab.experiment import Cell, Plan
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.stimulating.ideal import Ideal
from simlab.lab.analysing import beside as put_beside
from simlab.lab.cell import run_cell
from simlab.lab.laboratory import Lab
from simlab.lab.row import Settings
from simlab.questions.model_choice import ModelChoice
from simlab.store.packing import unpack_finding
from simlab.streams import stream

LOOK = Look(side=5)
SIMPLE, COMPLEX = (kind(n_neurons=6, mean_rate=20.0, look=LOOK) for kind in (V1Simple, V1Complex))
MODELS = (
    Model(V1Simple(n_neurons=40, look=LOOK), "simple", individuals=2),
    Model(V1Complex(n_neurons=40, look=LOOK), "complex"),
    Model(V1Simple(look=Look(side=9)), "other frames"),
)
ASKED = ModelChoice(models=MODELS, step=LOOK.frame)
PLAN = Plan(trials=6, duration=20.0)


def cell(circuit, method=None, **more) -> Cell:
    return Cell(circuit, 1, PLAN, Perfect(), method or ModelPredictivity(), question=ASKED, **more)


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return Settings(seed=3, time_limit=60, memory_limit=2**31, archive=str(tmp_path_factory.mktemp("archive")))


@pytest.fixture(scope="module")
def seen(settings) -> xr.Dataset:
    """What a method meets of simple cells."""

    return handed_out(cell(SIMPLE), settings)


def handed_out(asked: Cell, settings: Settings) -> xr.Dataset:
    """What a method meets."""
    lab = Lab(asked, settings)
    return put_beside(lab.recording(), lab.models_in(lab.session())).assign_attrs(brief=lab.truth.brief)


def test_models_are_shown_what_the_subject_was_shown_and_who_cannot_see_it_is_left_out(seen):
    assert seen["model_response"].shape == (6, 600, 120)
    owner, number = seen["model"].values, seen["model_individual"].values
    assert np.bincount(owner).tolist() == [40, 0, 80]  # complex, other frames, simple
    assert [np.unique(number[owner == k]).tolist() for k in (0, 2)] == [[0], [0, 1]]
    assert seen["model_time"].values == pytest.approx(np.arange(600) / 30)
    # an independent route: the rates of another individual, from the frames in the recording
    model = MODELS[0].circuit.subject(stream("3", "model", "v1_simple", 1))
    expected = model.rates(seen["stimulus"].values, stream(1, "none"))
    told = seen["model_response"].values[:, :, (owner == 2) & (number == 1)]
    assert told == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("circuit", "first"), [(SIMPLE, "simple"), (COMPLEX, "complex")])
def test_prediction_finds_the_kind_of_cells(circuit, first, settings):
    row, _ = run_cell(cell(circuit), settings)
    assert row["status"] == "ok", row
    assert row["recovered"] == 1.0
    for regression in ("pls", "ridge"):
        material = handed_out(cell(circuit), settings)
        score = ModelPredictivity(regression=regression).analyse(material, stream(1, "x")).estimate["score"]
        names = material.attrs["brief"]["candidates"]
        assert names[int(np.argmax(score))] == first
        assert score[names.index("other frames")] == score.min()  # nobody who has not seen is preferred


def test_cells_that_see_nothing_are_foretold_by_nobody(settings):
    row, _ = run_cell(cell(UnseeingCells(like=SIMPLE), role="rival"), settings)
    assert row["false_recovery"] == 1.0  # a ranking names a first all the same
    assert "recovered" not in row or row["recovered"] is None


def test_at_a_rig_models_foretell_for_free_and_stand_beside_what_is_recorded(settings):
    @dataclass(frozen=True)
    class Asks:
        name: ClassVar[str] = "asks"
        question: ClassVar[str] = "model_choice"
        family: ClassVar[str] = "none"
        library: ClassVar[str] = "own"
        needs: ClassVar[Needs] = Needs()

        def investigate(self, rig, rng):
            session = rig.session(trials=2, duration=1.0)
            before = rig.remaining.trials
            told = rig.foretell(session)
            free = rig.remaining.trials == before
            done = rig.record(session)
            same = np.array_equal(told["model_response"].values, done["model_response"].values)
            return Finding({"score": np.arange(3.0)}, notes={"free": free, "same": same, "units": told.sizes["unit"]})

    for strict in (False, True):
        active = cell(SIMPLE, Asks(), stimulator=Ideal())
        row, _ = run_cell(active, replace(settings, strict=strict))
        assert row["status"] == "ok", row
        assert unpack_finding(row["finding"]).notes == {"free": True, "same": True, "units": 0}
        assert row["spent_trials"] == 2


def test_who_has_no_models_is_told_so(settings, seen):
    bare = seen.drop_vars([name for name in seen.data_vars if str(name).startswith("model")])
    assert "candidate models" in ModelPredictivity().analyse(bare, stream(1, "x")).abstained
    blind = ModelChoice(models=(MODELS[2],), step=LOOK.frame)
    row, _ = run_cell(Cell(SIMPLE, 1, PLAN, Perfect(), ModelPredictivity(), question=blind), settings)
    assert row["status"] == "abstained"
    assert "can see what was shown" in row["reason"]
    row, _ = run_cell(
        Cell(RingAttractor(), 1, Plan(2, 0.5), Perfect(), ModelPredictivity(), question=ModelChoice()), settings
    )
    assert row["status"] == "abstained"


def test_constant_silent_and_copied_units_do_no_harm(seen):
    method = ModelPredictivity()
    silent = seen.isel(spike=slice(0, 0))
    assert "vary" in method.analyse(silent, stream(1, "x")).abstained
    flat = seen.assign(model_response=seen["model_response"] * 0 + 7.3)
    assert method.analyse(flat, stream(1, "x")).estimate["score"].max() == 0
    gone = seen.assign(model_response=seen["model_response"] * np.nan)
    assert "too few" in method.analyse(gone, stream(1, "x")).abstained


def test_a_signal_is_averaged_into_the_steps_of_the_models():
    time = np.arange(100) * 0.01
    stairs = np.repeat(np.arange(10.0), 10)
    signal = np.stack([stairs, -stairs], axis=1)[None].repeat(20, axis=0)
    told = recording(
        duration=1.0, n_units=2, n_trials=20, signal=signal, modality="rate", sample_time=time,
        model_response=np.zeros((20, 10, 1)), model_time=np.arange(10) * 0.1, model=[0], model_individual=[0],
    )  # fmt: skip
    found = beside(told)
    assert found.units[:10, 0].tolist() == list(range(10))
    assert folds(found.trial, 5).tolist() == np.repeat(np.arange(5), 40).tolist()
    assert folds(np.zeros(10), 5).tolist() == np.repeat(np.arange(5), 2).tolist()


def test_a_median_correlation_by_hand():
    said = np.array([[1.0, 1.0, 5.0], [2.0, 2.0, 5.0], [3.0, 0.0, 5.0]])
    true = np.array([[2.0, 3.0, 1.0], [4.0, 6.0, 2.0], [6.0, 0.0, 4.0]])
    assert median_correlation(said, true) == pytest.approx(np.corrcoef(said[:, 1], true[:, 1])[0, 1], abs=1e-9)
    with pytest.raises(SimlabError):
        ModelPredictivity(n_folds=1)
