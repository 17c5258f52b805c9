"""Tests of tuning to place, heading and speed: cells that have it, steady ones, ones that wander, and known answers."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from circuits.space.navigation_cells import NavigationCells
from circuits.space.place_cells import PlaceCells
from circuits.space.wandering_cells import WanderingCells
from methods.tuning._moments import Moments
from methods.tuning.direction_vector import DirectionVector, rayleigh
from methods.tuning.map_score import MapScore, border_score
from methods.tuning.selected_model import SelectedModel, fitted
from methods.tuning.shannon_information import ShannonInformation, information, relevant
from methods.tuning.spatial_information import SpatialInformation, bits_per_spike
from simlab.instruments.recording.perfect import Perfect
from simlab.questions.tuning import Tuning
from simlab.streams import stream

QUESTION = Tuning()
SHIFTED, PERMUTED = SpatialInformation(n_surrogates=60), SpatialInformation(null="permuted", n_surrogates=60)
CORRECTED, SUBTRACTED = ShannonInformation(), ShannonInformation(correction="shuffles", n_surrogates=60)
WHOLE = (SHIFTED, PERMUTED, SUBTRACTED, SelectedModel())


def recorded(circuit, seconds: float, seed: int = 1) -> tuple[xr.Dataset, xr.Dataset]:
    subject = circuit.subject(stream(seed, "subject"))
    activity = subject.run(subject.session(trials=1, duration=seconds, rng=stream(seed, "s")), stream(seed, "run"))
    implant = Perfect().implant(subject.anatomy, stream(seed, "implant"))
    told = subject.truth("tuning", activity, stream(seed, "truth"))
    seen = implant.record(activity, stream(seed, "record")).assign_attrs(brief=QUESTION.brief((), told))
    return seen, QUESTION.project(told, implant.key)


@pytest.fixture(scope="module")
def worlds():
    """Five minutes of cells of all kinds, of steady ones, and of ones that wander for as long as places last."""
    steady = NavigationCells(position=0.0, head_direction=0.0, speed=0.0, n_neurons=30)
    return {
        "all": recorded(NavigationCells(n_neurons=24), 300.0),
        "steady": recorded(steady, 300.0),
        "wandering": recorded(WanderingCells(like=PlaceCells(n_neurons=30)), 300.0),
    }


def scores(method, world) -> dict[str, float]:
    recording, truth = world
    return QUESTION.score(method.analyse(recording, stream(1, method.name)), truth)


@pytest.mark.parametrize("method", WHOLE, ids=lambda m: f"{m.name}-{getattr(m, 'null', '')}")
def test_each_names_what_a_cell_follows_and_errs_at_its_level_on_steady_ones(method, worlds):
    assert scores(method, worlds["all"])["f1"] > 0.9
    assert scores(method, worlds["steady"])["false_positive_rate"] < 0.2  # .05 of 30: .17 is four standard errors


def test_permutations_and_corrections_take_wandering_for_places_and_shifts_do_not(worlds):
    called = {m: scores(m, worlds["wandering"])["called"] for m in (*WHOLE, CORRECTED)}
    assert called[PERMUTED] > 0.7
    assert called[CORRECTED] > 0.8
    assert max(called[SHIFTED], called[SUBTRACTED], called[SelectedModel()]) < 0.25


def test_a_spike_of_nothing_carries_the_bias_that_theory_gives_it(worlds):
    moments = Moments.of(worlds["steady"][0], SHIFTED.needs)
    n, visited = moments.counts.sum(axis=0), (moments.occupancy["position"] > 0).sum()
    found = bits_per_spike(moments.spikes("position"), moments.occupancy["position"])
    assert found.mean() == pytest.approx(((visited - 1) / (2 * np.log(2) * n)).mean(), rel=0.1)
    assert bits_per_spike(np.array([[0.0], [10.0]]), np.array([1.0, 1.0])) == pytest.approx([1.0])


def test_information_of_a_table_is_that_of_its_entropies():
    table = np.array([[8.0, 2.0], [2.0, 8.0]])[..., None]
    noise = -(0.2 * np.log2(0.2) + 0.8 * np.log2(0.8))
    bits, freedom = information(table)
    assert bits == pytest.approx([1 - noise])
    assert freedom == pytest.approx([1.0])
    seen = np.array([[20.0, 1.0], [0.0, 1.0]])[..., None]
    assert relevant(seen)[:, 0].tolist() == [1.0, 2.0]  # twenty moments of one kind leave little room for another


def test_models_are_those_of_a_generalised_linear_model():
    import statsmodels.api as sm

    rng = stream(5, "glm")
    bins = {"a": np.repeat(np.arange(3), 4), "b": np.tile(np.arange(4), 3)}
    time = rng.uniform(2000, 4000, (1, 12))
    rate = np.exp(np.array([0.0, 0.5, -0.4])[bins["a"]] + np.array([0.1, -0.3, 0.6, 0.0])[bins["b"]] - 1)
    spikes = rng.poisson(time[0] * rate).astype(float)[None, :, None]
    design = np.column_stack([np.ones(12), *(bins["a"] == k for k in (1, 2)), *(bins["b"] == k for k in (1, 2, 3))])
    fit = sm.GLM(spikes[0, :, 0], design, family=sm.families.Poisson(), offset=np.log(time[0])).fit()
    found = fitted(bins, {"a": 3, "b": 4}, time, spikes)[0, :, 0]
    assert found * time[0] == pytest.approx(fit.fittedvalues, rel=0.01)  # the prior is one spike in 1000 of a bin


def test_rayleigh_is_uniform_for_uniform_angles_and_knows_only_headings(worlds):
    angles = stream(6, "r").uniform(0, 2 * np.pi, (4000, 50))
    p = rayleigh(np.abs(np.exp(1j * angles).mean(axis=1)), np.full(4000, 50.0))
    assert np.mean(p < 0.05) == pytest.approx(0.05, abs=0.012)
    found = DirectionVector().analyse(worlds["all"][0], stream(6, "d")).estimate["variable"]
    true = worlds["all"][1]["variable"].values
    assert np.mean(found[true == "head_direction"] == "head_direction") > 0.8
    assert np.mean(found[true != "head_direction"] == "none") > 0.7


def test_a_band_along_a_wall_is_a_border_and_a_spot_in_the_middle_is_none():
    wall, spot = np.zeros((20, 20)), np.zeros((20, 20))
    wall[0], spot[8:12, 8:12] = 1.0, 1.0
    assert border_score(wall) > 0.8
    assert border_score(spot) < -0.5
    assert border_score(np.zeros((20, 20))) == -1.0


def test_they_abstain_with_a_reason(worlds):
    recording = worlds["steady"][0]
    blind = recording.drop_vars("stimulus")
    other = recording.assign_attrs(brief={"variables": ("target", "none")})
    for method in (*WHOLE, DirectionVector(), MapScore()):
        assert "stimulus" in method.analyse(blind, stream(7, "x")).abstained
        assert "brief" in method.analyse(other, stream(7, "x")).abstained
    assert "shifted" in SpatialInformation(least_shift=200.0).analyse(recording, stream(7, "x")).abstained
