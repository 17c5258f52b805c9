"""Reverse correlation: who finds which cells' filters, in which frames, and who finds none where there is none."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from circuits.coding.unseeing_cells import UnseeingCells
from circuits.coding.v1_complex import V1Complex
from circuits.coding.v1_simple import V1Simple
from circuits.coding.visual import Look
from methods.coding._frames import Looked, looked, shifts, triggered
from methods.coding.poisson_filter import PoissonFilter
from methods.coding.ridge_filter import PENALTIES, RidgeFilter, _fits
from methods.coding.spike_triggered_average import SpikeTriggeredAverage
from methods.coding.spike_triggered_covariance import SpikeTriggeredCovariance, whitener
from simlab.instruments.recording.perfect import Perfect
from simlab.questions.receptive_field import ReceptiveField
from simlab.streams import stream

STA, STC, RIDGE, GLM = SpikeTriggeredAverage(), SpikeTriggeredCovariance(), RidgeFilter(), PoissonFilter()
QUESTION = ReceptiveField()
SMALL = {"n_neurons": 5, "rate_spread": 0.0, "mean_rate": 8.0}
WHITE, NATURAL = Look(side=6), Look(side=6, frames="natural")
CIRCUITS = {
    "simple": V1Simple(look=WHITE, **SMALL),
    "complex": V1Complex(look=WHITE, **SMALL),
    "unseeing": UnseeingCells(like=V1Complex(look=WHITE, **SMALL)),
    "natural": V1Simple(look=NATURAL, **SMALL),
}


@pytest.fixture(scope="module")
def worlds():
    """(recording, projected truth) of each circuit, eight minutes long."""
    return {name: recorded(circuit) for name, circuit in CIRCUITS.items()}


def recorded(circuit, trials=8) -> tuple[xr.Dataset, xr.Dataset]:
    subject = circuit.subject(stream(1, "subject"))
    session = subject.session(trials=trials, duration=60.0, rng=stream(1, "session"))
    activity = subject.run(session, stream(1, "run"))
    implant = Perfect().implant(subject.anatomy, stream(1, "implant"))
    truth = QUESTION.project(subject.truth("receptive_field", activity, stream(1, "truth")), implant.key)
    return implant.record(activity, stream(1, "record")), truth


def scores(method, world) -> dict[str, float]:
    recording, truth = world
    return QUESTION.score(method.analyse(recording, stream(1, method.name)), truth)


@pytest.mark.parametrize("method", [STA, STC, RIDGE, GLM], ids=lambda method: method.name)
def test_all_find_simple_cells_and_nothing_where_nothing_is_seen(method, worlds):
    assert scores(method, worlds["simple"])["overlap"] > 0.9
    assert scores(method, worlds["unseeing"])["false_positive_rate"] <= 0.2


def test_only_the_covariance_finds_complex_cells(worlds):
    found = {method.name: scores(method, worlds["complex"]) for method in (STA, STC, RIDGE, GLM)}
    assert found["spike_triggered_covariance"]["overlap"] > 0.9
    assert found["spike_triggered_covariance"]["second_found"] == 1
    for name in ("spike_triggered_average", "ridge_filter", "poisson_filter"):
        assert found[name]["overlap"] < 0.3


def test_natural_frames_blur_the_average_and_regression_undoes_it(worlds):
    blurred, mended = (scores(method, worlds["natural"])["overlap"] for method in (STA, RIDGE))
    assert mended > blurred + 0.1


def test_estimators_are_what_they_say_they_are(worlds):
    from sklearn.linear_model import Ridge

    found = looked(worlds["natural"][0])
    average = np.stack([np.repeat(found.frames, c.astype(int), axis=0).mean(axis=0) for c in found.counts.T])
    assert triggered(found) == pytest.approx(average)
    few = Looked(found.frames[:500] - found.frames[:500].mean(axis=0), found.counts[:500])
    penalty = PENALTIES[7] * (few.frames**2).sum(axis=0).mean()
    assert pytest.approx(Ridge(alpha=penalty).fit(*few).coef_) == _fits(few)[7].T
    white = found.frames @ whitener(found.frames)
    spread = np.linalg.eigvalsh(np.cov(white.T))
    assert spread[1:] == pytest.approx(np.ones(len(spread) - 1), abs=1e-6)  # natural frames lack the mean


@pytest.mark.parametrize(("circuit", "centred"), [("complex", True), ("complex", False), ("unseeing", False)])
def test_directions_are_those_whose_spread_is_beyond_that_of_every_shift(circuit, centred, worlds):
    found = looked(worlds[circuit][0])
    counts, frames = found.counts[:, 0], found.frames
    average = triggered(found)[0] * centred

    def spread(count):
        rows = frames - np.outer(frames @ average, average) / max(average @ average, 1e-300)
        return np.linalg.eigh((rows * count[:, None]).T @ rows / count.sum())

    turned = shifts(STC.n_shifts, len(counts), stream(2, "shifts"))
    beyond = int((spread(counts)[0] > max(spread(np.roll(counts, shift))[0][-1] for shift in turned)).sum())
    single = Looked(frames.astype(np.float32), found.counts)
    filters = STC._of_unit(single, 0, average, stream(2, "shifts"))
    told = filters[1:] if centred else filters
    assert (np.linalg.norm(told, axis=1) > 0).sum() == min(beyond, len(told))
    for k, direction in enumerate(told[: min(beyond, len(told))]):
        assert abs(direction @ spread(counts)[1][:, -1 - k]) == pytest.approx(1, abs=1e-3)


def test_they_abstain_with_a_reason(worlds):
    recording = worlds["simple"][0]
    short = recorded(CIRCUITS["simple"], 1)[0]
    constant = recording.assign(stimulus=recording["stimulus"] * 0)
    for method in (STA, STC, RIDGE, GLM):
        assert "stimulus" in method.analyse(recording.drop_vars("stimulus"), stream(1, "x")).abstained
        assert "frames" in method.analyse(constant, stream(1, "x")).abstained
        silent = short.isel(spike=slice(0, 0))
        assert not np.asarray(method.analyse(silent, stream(1, "x")).estimate["filter"]).any()
