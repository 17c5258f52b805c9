"""Methods on cells whose maps are written down: lattices, bands, single fields, and rates that follow nothing."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from circuits.space.trajectory import STEP, Walk, positions
from methods.patterns._foraged import Foraged, n_modules, period
from methods.patterns.fourier_hexagon import FourierHexagon, spectra
from methods.patterns.gridness import Gridness, _shuffled
from methods.patterns.lattice_model import LatticeModel, Lattices, explained
from simlab.contracts import Finding, SimlabError
from simlab.data import recording
from simlab.questions.form import sizes_of, validate
from simlab.questions.spatial_pattern import SpatialPattern
from simlab.streams import stream

METHODS = {
    "rolled": Gridness(n_surrogates=3), "blocks": Gridness(null="blocks", n_surrogates=8),
    "spectrum": FourierHexagon(n_surrogates=4), "lattice": LatticeModel(n_surrogates=2),
}  # fmt: skip
SECONDS, COARSE = 720.0, 5
"""Twelve minutes, the place shown every 50 ms."""
BOX, PERIOD = 1.0, 0.45
KINDS = ("grid", "band", "field", "nothing")
EACH = 6


def rates(place: np.ndarray, rng: np.random.Generator, grid_period: float = PERIOD) -> np.ndarray:
    """(moment, unit) [Hz] at places (moment, 2): six cells of each kind, one after another."""
    found = []
    turn = rng.uniform(0, np.pi / 3)
    for kind in KINDS:
        for _ in range(EACH):
            centre = rng.uniform(0, BOX, 2)
            angle = turn + np.arange(3 if kind == "grid" else 1) * np.pi / 3
            phase = (place - centre) @ np.stack([np.cos(angle), np.sin(angle)]) * 4 * np.pi / np.sqrt(3) / grid_period
            wave = np.cos(phase).mean(axis=1)
            field = np.exp(-np.square(place - centre).sum(axis=1) / (2 * 0.12**2))
            found.append({
                "grid": 12 * np.maximum(wave + 0.1, 0), "band": 8 * np.maximum(wave, 0), "field": 0.1 + 10 * field,
                "nothing": np.full(len(place), 3.0),
            }[kind])  # fmt: skip
    return np.stack(found, axis=1)


def seen(place: np.ndarray, rate: np.ndarray, rng: np.random.Generator, **more) -> xr.Dataset:
    """A recording of one trial: Poisson spikes at rates (moment, unit) every 50 ms along places (moment, 2)."""
    step = COARSE * STEP
    counts = rng.poisson(rate * step)
    moment, unit = (np.repeat(index.ravel(), counts.ravel()) for index in np.indices(counts.shape))
    time = np.minimum((moment + rng.uniform(0, 1, len(moment))) * step, len(place) * step - 1e-6)
    columns = (np.zeros(len(moment), int), time, unit)
    return recording(
        duration=len(place) * step, n_units=rate.shape[1], n_trials=1, spikes=columns, stimulus=place[None],
        time=np.arange(len(place)) * step,
    ).assign_coords(feature=more.get("features", ["x", "y"])).assign_attrs(brief={})  # fmt: skip


@pytest.fixture(scope="module")
def foraged() -> xr.Dataset:
    rng = stream(7, "cells")
    place = positions(Walk(mean_speed=0.12), 1, round(SECONDS / STEP), rng)[0, ::COARSE]
    return seen(place, rates(place, rng), rng)


@pytest.fixture(scope="module")
def found(foraged) -> dict[str, Finding]:
    return {name: method.analyse(foraged, stream(1, name)) for name, method in METHODS.items()}


def called(finding: Finding, kind: str) -> float:
    first = KINDS.index(kind) * EACH
    return float(finding.estimate["grid"][first : first + EACH].mean())


@pytest.mark.parametrize("name", METHODS)
def test_lattices_are_found_with_their_period_and_as_one_module(found, name):
    finding = found[name]
    assert called(finding, "grid") >= 0.8
    grids = finding.estimate["grid"][:EACH]
    assert np.median(finding.estimate["period"][:EACH][grids]) == pytest.approx(PERIOD, rel=0.07)
    assert finding.estimate["modules"] == 1 or called(finding, "field") > 0 or called(finding, "band") > 0


@pytest.mark.parametrize("name", METHODS)
def test_rates_that_follow_nothing_are_hardly_called_grids(found, name):
    assert called(found[name], "nothing") <= 0.25


@pytest.mark.parametrize(("name", "kind", "most"), [
    ("blocks", "field", 0.34), ("spectrum", "band", 0.25), ("lattice", "band", 0.13), ("lattice", "field", 0.25),
])  # fmt: skip
def test_what_is_near_a_lattice_is_told_from_it(found, name, kind, most):
    assert called(found[name], kind) <= most


@pytest.mark.parametrize("name", METHODS)
def test_each_answers_in_form_and_the_same_stream_gives_the_same_answer(foraged, found, name):
    few = foraged.isel(unit=slice(4)).pipe(lambda d: d.isel(spike=d["spike_unit"].values < 4))
    method = METHODS[name]
    one, same = (method.analyse(few, stream(2, "again")) for _ in range(2))
    assert np.array_equal(one.estimate["grid"], same.estimate["grid"])
    validate(found[name], SpatialPattern(), sizes_of(foraged))


def bad(case: str, base: xr.Dataset) -> xr.Dataset:
    place = base["stimulus"].values[0]
    rng, n = np.random.default_rng(0), len(place)
    flat = np.full((n, 3), 2.0)
    return {
        "no place": lambda: seen(place, flat, rng, features=["tone", "light"]),
        "asleep": lambda: seen(np.full_like(place, np.nan), flat, rng),
        "it stayed": lambda: seen(np.full_like(place, 0.3), flat, rng),
        "on a line": lambda: seen(place * [1.0, 0.0], flat, rng),
        "silent": lambda: seen(place, np.zeros((n, 3)), rng),
        "too short": lambda: seen(place[:100], flat[:100], rng),
        "one spike each": lambda: seen(place, np.where(np.arange(n)[:, None] == 50, 20.0, np.zeros((n, 3))), rng),
        "one fires": lambda: seen(place, flat * [0.0, 1.0, 0.0], rng),
        "a corner": lambda: seen(place * 0.01, flat, rng),
        "gaps": lambda: seen(np.where(np.arange(n)[:, None] % 3 == 0, np.nan, place), flat, rng),
        "the same twice": lambda: seen(place, np.repeat(rates(place, rng)[:, :1], 3, axis=1), np.random.default_rng(1)),
    }[case]()


ABSTAINS = {
    "no place": "two coordinates", "asleep": "never seen", "it stayed": "no floor", "on a line": "no floor",
    "silent": "spikes enough|no spike", "too short": "s of recording|seconds", "one spike each": "spikes enough",
}  # fmt: skip


@pytest.mark.parametrize("case", [*ABSTAINS, "one fires", "a corner", "gaps", "the same twice"])
@pytest.mark.parametrize("name", METHODS)
def test_poor_recordings_are_answered_in_form_or_with_a_reason(foraged, name, case):
    base = foraged.isel(time=slice(2600))
    poor, method = bad(case, base), replace(METHODS[name], n_surrogates=1, n_bins=12)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        finding = method.analyse(poor, stream(3, name, case))
    if case in ABSTAINS:
        assert finding.abstained
        assert any(word in finding.abstained for word in ABSTAINS[case].split("|")), finding.abstained
        return
    estimate = validate(finding, SpatialPattern(), sizes_of(poor)).estimate
    assert not (estimate["period"][~estimate["grid"]] > 0).any()
    if case == "one fires":
        assert not estimate["grid"][[0, 2]].any()


def test_maps_are_spikes_over_seconds(foraged):
    seen_from = Foraged.of(foraged, 10)
    spikes, seconds = seen_from.counted()
    assert seconds.sum() == pytest.approx(SECONDS)
    assert spikes.sum() == foraged.sizes["spike"]
    rolled = seen_from.rolled(stream(1, "roll"))
    assert np.array_equal(np.bincount(rolled.unit), np.bincount(seen_from.unit))
    assert not np.array_equal(rolled.counted()[0], spikes)
    half = np.arange(len(seen_from.bins)) % 2 == 0
    parts = [seen_from.counted(each)[0] for each in (half, ~half)]
    assert np.array_equal(parts[0] + parts[1], spikes)


def test_periods_and_modules_of_maps_that_are_written_down():
    n = 30
    place = (np.indices((n, n)).reshape(2, -1).T + 0.5) / n
    for wanted in (0.3, 0.45):
        exact = rates(place, np.random.default_rng(0), wanted)[:, 0].reshape(n, n)
        assert period(exact, np.ones(2)) == pytest.approx(wanted, rel=0.06)
        _, hexagon, wave, least = spectra(exact[None], 1.0)
        assert 4 * np.pi / np.sqrt(3) / wave[0] == pytest.approx(wanted, rel=0.06)
        assert hexagon[0] > 0.2
        assert least[0] > 0.5
    band = rates(place, np.random.default_rng(0))[:, EACH].reshape(1, n, n)
    assert spectra(band, 1.0)[1][0] < 0.1
    rng = np.random.default_rng(2)
    one = 0.5 * np.exp(rng.normal(0, 0.05, 20))
    assert (n_modules(one), n_modules(np.r_[one, 1.42 * one]), n_modules(np.empty(0))) == (1, 2, 0)
    assert n_modules(np.r_[one, 5.0]) == 1


def test_a_map_in_pieces_has_the_same_rates_in_other_places():
    one = np.random.default_rng(0).random((30, 30))
    cut = _shuffled(one, stream(1, "cut"))
    assert cut.shape == (28, 28)
    assert np.allclose(np.sort(cut.ravel()), np.sort(one[:28, :28].ravel()))
    assert not np.array_equal(cut, one[:28, :28])


def test_the_lattice_that_is_fitted_is_the_one_that_is_there_and_a_band_has_one_wave(foraged):
    seen_from = Foraged.of(foraged, 24)
    everywhere = np.ones(len(seen_from.bins), bool)
    lattices = Lattices.over(seen_from, everywhere)
    place = (np.indices((24, 24)).reshape(2, -1).T + 0.5) / 24 * seen_from.edge
    exact = rates(place, np.random.default_rng(4)).T
    fit = lattices.fitted(exact)
    assert np.allclose(fit.period[:EACH], PERIOD, rtol=0.05)
    assert (fit.weakest[:EACH] > 0.8).all()
    assert (fit.weakest[EACH : 2 * EACH] < 0.3).all()
    seconds = seen_from.counted()[1]
    told = explained(fit.rates, exact, seconds)
    assert (told[:EACH] > 0.8).all()  # three waves of a rectified sum of them
    assert np.isclose(explained(exact, exact, seconds)[: 3 * EACH], 1).all()
    assert explained(exact + 5.0, exact, seconds)[0] == pytest.approx(1)  # a level is no pattern
    assert explained(exact[:1] * 0 + 3.0, exact[:1], seconds)[0] == pytest.approx(0)
    assert explained(exact[:1], exact[:1] * 0 + 3.0, seconds)[0] == 0  # nothing to explain in a flat map


def test_a_period_is_sought_in_metres_whatever_the_size_of_the_box():
    rng = stream(9, "cells")
    place = positions(Walk(mean_speed=0.12), 1, round(300 / STEP), rng)[0, ::COARSE]
    small = seen(place, rates(place, rng)[:, :4], stream(9, "spikes"))
    large = small.assign(stimulus=2.2 * small["stimulus"])
    one, other = (FourierHexagon(n_surrogates=2).analyse(each, stream(9, "same")) for each in (small, large))
    assert np.array_equal(one.estimate["grid"], other.estimate["grid"])
    assert np.allclose(2.2 * one.estimate["period"], other.estimate["period"])


def test_wrong_parameters_are_refused():
    for method, wrong in (
        (Gridness, {"null": "none"}), (Gridness, {"level": 0.0}), (FourierHexagon, {"weakest": 2.0}),
        (LatticeModel, {"n_surrogates": 0}), (LatticeModel, {"stretch": 0.0}), (Gridness, {"n_bins": 4}),
    ):  # fmt: skip
        with pytest.raises(SimlabError, match=next(iter(wrong))):
            method(**wrong)
