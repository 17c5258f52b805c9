"""Filters of most information, of a quadratic model and of a smooth prior: slopes, evidence, and who finds whom."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import simlab
from circuits.coding.unseeing_cells import UnseeingCells
from circuits.coding.v1_complex import V1Complex
from circuits.coding.v1_simple import V1Simple
from circuits.coding.visual import Look
from methods.coding._frames import Looked, looked, places
from methods.coding.automatic_smoothness import RATIOS, AutomaticSmoothness, _evidence, most_probable
from methods.coding.informative_dimensions import InformativeDimensions, corners, information
from methods.coding.quadratic_model import Quadratic, QuadraticModel, penalised
from methods.coding.ridge_filter import RidgeFilter
from simlab.data import bin_spikes
from simlab.instruments.recording.perfect import Perfect
from simlab.questions.receptive_field import ReceptiveField
from simlab.streams import stream

SMOOTH, MID, GQM = AutomaticSmoothness(), InformativeDimensions(), QuadraticModel()
METHODS = [SMOOTH, MID, GQM]
QUESTION = ReceptiveField()
SMALL = {"n_neurons": 2, "rate_spread": 0.0, "mean_rate": 20.0}
WHITE, NATURAL = Look(side=5), Look(side=5, frames="natural")
CIRCUITS = {
    "simple": V1Simple(look=WHITE, **SMALL),
    "natural": V1Simple(look=NATURAL, **SMALL),
    "complex": V1Complex(look=WHITE, **SMALL),
    "unseeing": UnseeingCells(like=V1Complex(look=WHITE, **SMALL)),
}


def recorded(circuit, trials=2) -> tuple[xr.Dataset, xr.Dataset]:
    subject = circuit.subject(stream(2, "subject"))
    session = subject.session(trials=trials, duration=60.0, rng=stream(2, "session"))
    activity = subject.run(session, stream(2, "run"))
    implant = Perfect().implant(subject.anatomy, stream(2, "implant"))
    truth = QUESTION.project(subject.truth("receptive_field", activity, stream(2, "truth")), implant.key)
    return implant.record(activity, stream(2, "record")), truth


@pytest.fixture(scope="module")
def worlds():
    return {name: recorded(circuit) for name, circuit in CIRCUITS.items()}


def scores(method, world) -> dict[str, float]:
    return QUESTION.score(method.analyse(world[0], stream(1, method.name)), world[1])


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_all_find_simple_cells_in_any_frames_and_nothing_where_nothing_is_seen(method, worlds):
    for frames in ("simple", "natural"):
        found = scores(method, worlds[frames])
        assert found["worst_overlap"] > 0.9  # signs included
        assert found["second_false"] == 0
    assert scores(method, worlds["unseeing"])["false_positive_rate"] == 0


def test_those_that_are_not_linear_find_complex_cells(worlds):
    found = {method.name: scores(method, worlds["complex"]) for method in METHODS}
    for name in ("informative_dimensions", "quadratic_model"):
        assert found[name]["overlap"] > 0.9
        assert found[name]["second_found"] == 1
    assert found["automatic_smoothness"]["overlap"] < 0.3


def test_a_smooth_prior_needs_less_data_than_a_ridge():
    few = recorded(V1Simple(n_neurons=30, mean_rate=2.0, rate_spread=0.0, look=Look(side=12)), trials=1)
    smooth, ridge = (scores(kind(least_z=0.0), few)["overlap"] for kind in (AutomaticSmoothness, RidgeFilter))
    print("smooth, ridge", smooth, ridge)
    assert smooth > ridge + 0.05


@pytest.mark.parametrize("number", [1, 2])
def test_slopes_are_those_of_what_is_climbed(number):
    rng = np.random.default_rng(0)
    frames, count = rng.standard_normal((400, 9)), rng.poisson(0.5, 400).astype(float)
    filters, along, e = rng.standard_normal((number, 9)), rng.standard_normal((number, 9)), 1e-6
    up, down = (information(filters + sign * e * along, frames, count, 9)[0] for sign in (1, -1))
    assert (information(filters, frames, count, 9)[1] * along).sum() == pytest.approx((up - down) / (2 * e), rel=1e-4)
    flat, along = 0.3 * rng.standard_normal(1 + 10 * number), rng.standard_normal(1 + 10 * number)
    sign = np.array([1.0, -1.0])[:number]
    up, down = (penalised(Quadratic.of(flat + s * e * along, sign, 0.5), frames, count, 0.01)[0] for s in (1, -1))
    slope = penalised(Quadratic.of(flat, sign, 0.5), frames, count, 0.01)[1]
    assert slope @ along == pytest.approx((up - down) / (2 * e), rel=1e-4)


def test_information_is_that_of_the_histograms_and_lengths_do_not_count():
    rng = np.random.default_rng(1)
    frames, count = rng.standard_normal((3000, 5)), rng.poisson(0.3, 3000).astype(float)
    w = np.eye(5)[:1]
    bits, slope = information(w, frames, count, 9)
    assert information(3 * w, frames, count, 9)[0] == pytest.approx(bits)
    assert (slope * w).sum() == pytest.approx(0, abs=1e-12)
    assert 0 <= bits < 0.05  # spikes that depend on nothing: about bins / (2 spikes)
    assert corners(frames[:, :2], 9).weight.sum(axis=0) == pytest.approx(np.ones(3000))


def test_evidence_is_that_of_the_gaussian_model():
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal((30, 4)), rng.standard_normal((30, 1))
    y -= y.mean()
    value, direction = np.linalg.eigh(x.T @ x)
    told = _evidence(value, direction.T @ x.T @ y, (y**2).sum(axis=0), 30)[:, 0]
    covariances = [np.eye(30) + ratio * x @ x.T for ratio in RATIOS]
    fits = [float(y[:, 0] @ np.linalg.solve(c, y[:, 0])) / 30 for c in covariances]
    true = [-0.5 * (np.linalg.slogdet(c)[1] + 30 * np.log(f)) for c, f in zip(covariances, fits, strict=True)]
    assert told == pytest.approx(np.array(true))
    best = most_probable(Looked(x, y), np.arange(4.0)[:, None] * 100)  # too far apart for smoothness: a ridge
    ratio = RATIOS[told.argmax()]
    expected = np.linalg.solve(x.T @ x + np.eye(4) / ratio, x.T @ y)
    assert best.filters[0] == pytest.approx(expected[:, 0], rel=1e-6)


def test_features_stand_where_their_names_say(worlds):
    assert (places(worlds["simple"][0])[7] == (1, 2)).all()
    bare = xr.Dataset(coords={"feature": ["luminance", "contrast"]})
    assert (places(bare) == [[0], [1]]).all()


def test_rates_stand_in_for_spikes(worlds):
    recording, _ = worlds["simple"]
    counts = bin_spikes(recording, 1 / 30).values.astype(float)
    rated = simlab.data.recording(
        duration=60.0, n_units=2, n_trials=2, signal=counts * 30, modality="rate", signal_units="Hz",
        sample_time=(np.arange(counts.shape[1]) + 0.5) / 30,
    )  # fmt: skip
    rated = rated.assign({name: recording[name] for name in ("stimulus",)})
    assert looked(rated).counts == pytest.approx(looked(recording).counts)


def test_they_abstain_with_a_reason_and_are_silent_about_the_silent(worlds):
    recording = worlds["simple"][0]
    for method in METHODS:
        assert "stimulus" in method.analyse(recording.drop_vars("stimulus"), stream(1, "x")).abstained
        silent = recording.isel(spike=slice(0, 0))
        assert not np.asarray(method.analyse(silent, stream(1, "x")).estimate["filter"]).any()
