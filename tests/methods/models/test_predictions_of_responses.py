"""Responses to unseen frames: by regression on frames, and by a candidate that is shown them."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr

from circuits.coding.v1_complex import V1Complex
from circuits.coding.v1_simple import V1Simple
from circuits.coding.visual import Look
from methods.models.model_foretelling import ModelForetelling
from methods.models.stimulus_regression import StimulusRegression
from simlab.candidates import Model
from simlab.contracts import SimlabError
from simlab.data import recording
from simlab.experiment import Cell, Plan
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.stimulating.ideal import Ideal
from simlab.lab.cell import run_cell
from simlab.lab.row import Settings
from simlab.questions.prediction import Prediction

LOOK = Look(side=4)
CELLS = {kind: kind(n_neurons=6, mean_rate=20.0, look=LOOK) for kind in (V1Simple, V1Complex)}
MODELS = (
    Model(V1Simple(n_neurons=60, look=LOOK), "simple"),
    Model(V1Complex(n_neurons=60, look=LOOK), "complex"),
    Model(V1Simple(look=Look(side=9)), "other frames"),
)
ASKED = Prediction(models=MODELS, step=LOOK.frame)
PLAN = Plan(8, 15.0)


@pytest.fixture(scope="module")
def settings(tmp_path_factory) -> Settings:
    return Settings(seed=3, time_limit=60, memory_limit=2**31, archive=str(tmp_path_factory.mktemp("archive")))


def foretold(circuit, method, settings, plan: Plan = PLAN) -> dict:
    more = {"stimulator": Ideal()} if hasattr(method, "investigate") else {}
    return run_cell(Cell(circuit, 1, plan, Perfect(), method, question=ASKED, **more), settings)[0]


def correlation(row: dict) -> float:
    assert row["status"] == "ok", row
    return json.loads(row["metrics"])["correlation"]


PAIRS = [(V1Simple, "simple", "complex"), (V1Complex, "complex", "simple")]


@pytest.mark.parametrize(("kind", "right", "wrong"), PAIRS)
def test_cells_are_foretold_by_their_kind_better_than_by_the_other(kind, right, wrong, settings):
    by = {name: correlation(foretold(CELLS[kind], ModelForetelling(name), settings)) for name in (right, wrong)}
    assert by[right] > 0.7
    assert by[right] > by[wrong] + 0.05
    refused = foretold(CELLS[kind], ModelForetelling("other frames"), settings)
    assert "does not see" in refused["reason"]


def test_all_candidates_together_serve_cells_of_either_kind(settings):
    assert correlation(foretold(CELLS[V1Simple], ModelForetelling(), settings)) > 0.7


def test_pixels_foretell_simple_cells_in_part_and_complex_cells_not_at_all_and_products_both(settings):
    by = {
        (kind, order): correlation(foretold(CELLS[kind], StimulusRegression(order), settings))
        for kind in CELLS for order in ("linear", "quadratic")
    }  # fmt: skip
    assert 0.6 < by[V1Simple, "linear"] < 0.95
    assert abs(by[V1Complex, "linear"]) < 0.3
    assert by[V1Complex, "quadratic"] > 0.8
    assert by[V1Simple, "quadratic"] > by[V1Simple, "linear"]


def test_what_cannot_be_foretold_is_declined(settings):
    assert "4 trials" in foretold(CELLS[V1Simple], ModelForetelling("simple"), settings, Plan(3, 15.0))["reason"]
    assert "no candidate is called" in foretold(CELLS[V1Simple], ModelForetelling("nobody"), settings)["reason"]
    rng = np.random.default_rng(0)
    told = recording(
        duration=10.0, n_units=2, n_trials=2, spikes=([0, 1], [0.5, 0.7], [0, 1]),
        stimulus=rng.standard_normal((2, 100, 3)), time=np.arange(100) * 0.1,
    )  # fmt: skip

    def asked(material: xr.Dataset, **brief: object):
        return StimulusRegression().analyse(material.assign_attrs(brief=brief), rng)

    assert "shows no stimuli" in asked(told).abstained
    assert "shows no stimuli" in asked(told, unseen=((1.0, 2.0),)).abstained
    silent = asked(told.isel(spike=slice(0, 0)), unseen=((1.0, 2.0, 3.0),)).estimate["response"]
    assert silent.tolist() == [[0.0, 0.0]]
    blank = told.assign(stimulus=told["stimulus"] * np.nan)
    assert "too few" in asked(blank, unseen=((1.0, 2.0, 3.0),)).abstained
    still = told.assign(stimulus=told["stimulus"] * 0)
    assert np.isfinite(asked(still, unseen=((1.0, 2.0, 3.0),)).estimate["response"]).all()
    with pytest.raises(SimlabError):
        StimulusRegression("cubic")
