"""Whatever the animal and its cells do, tests of tuning answer in form, or say what is missing."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from methods.tuning.across_sessions import AcrossSessions
from methods.tuning.direction_vector import DirectionVector
from methods.tuning.map_score import MapScore
from methods.tuning.selected_model import SelectedModel
from methods.tuning.shannon_information import ShannonInformation
from methods.tuning.spatial_information import SpatialInformation
from simlab.contracts import Finding
from simlab.data import recording
from simlab.questions.tuning import Tuning
from simlab.streams import stream

FEW = {"n_surrogates": 5}
TUNING = {
    "shifted": SpatialInformation(**FEW),
    "permuted": SpatialInformation(null="permuted", **FEW),
    "corrected": ShannonInformation(),
    "subtracted": ShannonInformation(correction="shuffles", **FEW),
    "selected": SelectedModel(),
    "curve": DirectionVector(**FEW),
    "rayleigh": DirectionVector(null="rayleigh"),
    "grid": MapScore(n_surrogates=1, n_bins=10),
    "border": MapScore(score="border", n_surrogates=1, n_bins=10),
}
DAILY = {"maps": AcrossSessions(stretch=4.0), "vectors": AcrossSessions("population_vector", stretch=4.0)}
ALL = TUNING | DAILY
VARIABLES = ("head_direction", "position", "speed", "none")
BRIEF = {"variables": VARIABLES, "candidates": ("drifting code", "stable code")}
TRIALS, DURATION, STEP, UNITS = 3, 24.0, 0.05, 8
SILENT, CLOCK = 0, 1
"""The unit that never fires, and the one that fires once in every moment of .1 s."""


def path(trials: int = TRIALS, duration: float = DURATION) -> np.ndarray:
    """(trial, step, 2) [m]: rounds along a flat ellipse, some 20 of 64 squares of the floor."""
    t = np.arange(0, duration, STEP) + 100.0 * np.arange(trials)[:, None]
    return 0.5 + np.stack([0.49 * np.sin(1.71 * t), 0.3 * np.sin(1.71 * t + 1.0)], axis=-1)


def spikes(units: int, trials: int, duration: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Poisson spikes at 4 Hz of all units but the first two."""
    rng = np.random.default_rng([units, trials])
    n = rng.poisson(4.0 * duration, (trials, units)) * (np.arange(units) > CLOCK)
    trial, unit = (np.repeat(index.ravel(), n.ravel()) for index in np.indices(n.shape))
    tick = np.arange(0.05, duration, 0.1)
    return (
        np.r_[trial, np.repeat(np.arange(trials), len(tick))],
        np.r_[rng.uniform(0, duration, len(trial)), np.tile(tick, trials)],
        np.r_[unit, np.full(trials * len(tick), CLOCK)],
    )


def forage(place: np.ndarray | None = None, units: int = UNITS, duration: float = DURATION, **more) -> xr.Dataset:
    """A recording of a path, with as many trials as it has."""
    place = path(duration=duration) if place is None else place
    made = {"spikes": spikes(max(units, 2), len(place), duration)} | more
    features = made.pop("features", ["x", "y"])
    length = made.pop("lengths", duration)
    time = np.arange(place.shape[1]) * STEP
    seen = recording(duration=length, n_units=units, n_trials=len(place), stimulus=place, time=time, **made)
    return seen.assign_coords(feature=features).assign_attrs(brief=BRIEF)


def with_gaps(share: float) -> np.ndarray:
    """The path, with its last part not seen."""
    place = path()
    place[:, round((1 - share) * place.shape[1]) :] = np.nan
    return place


def unequal() -> xr.Dataset:
    lengths = np.array([24.0, 20.0, 23.0])
    trial, time, unit = spikes(UNITS, TRIALS, DURATION)
    inside = time < lengths[trial]
    return forage(spikes=(trial[inside], time[inside], unit[inside]), lengths=lengths)


def line() -> np.ndarray:
    place = path()
    place[..., 1] = 0.5
    return place


def one_unit() -> xr.Dataset:
    trial, time, _ = spikes(2, TRIALS, DURATION)
    return forage(units=1, spikes=(trial, time, np.zeros(len(trial), int)))


def calcium() -> xr.Dataset:
    traces = np.random.default_rng(3).exponential(size=(TRIALS, 240, UNITS))
    return forage(spikes=None, signal=traces, modality="fluorescence", sample_time=np.arange(240) * 0.1)


NOBODY = (np.empty(0, int), np.empty(0), np.empty(0, int))
WORLDS = {
    "as it should be": forage,
    "all silent": lambda: forage(spikes=NOBODY),
    "one spike": lambda: forage(spikes=(np.array([1]), np.array([3.0]), np.array([2]))),
    "it never moves": lambda: forage(np.full((TRIALS, 480, 2), 0.3)),
    "it runs along a line": lambda: forage(line()),
    "the same path every day": lambda: forage(np.repeat(path(1), TRIALS, axis=0)),
    "a tenth was not seen": lambda: forage(with_gaps(0.1)),
    "nine tenths were not seen": lambda: forage(with_gaps(0.9)),
    "days of unequal length": unequal,
    "one unit": one_unit,
}
LACKING = {
    "the place was never seen": (lambda: forage(np.full((TRIALS, 480, 2), np.nan)), ("never seen",)),
    "one coordinate": (lambda: forage(path()[..., :1], features=["x"]), ("two coordinates",)),
    "another stimulus": (lambda: forage(features=["angle", "contrast"]), ("two coordinates",)),
    "no stimulus": (lambda: forage().drop_vars("stimulus"), ("the stimulus",)),
    "half a minute": (lambda: forage(path(duration=10.0), duration=10.0), ("60 s", "30 s")),
    "calcium": (calcium, ("spikes", "fluorescence")),
    "nothing asked of places": (
        lambda: forage().assign_attrs(brief={"variables": ("target",)}),
        ("brief", "candidates"),
    ),
}


def finding(method, world: xr.Dataset) -> Finding:
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        return method.analyse(world, stream(1, method.name))


@pytest.fixture(scope="module")
def worlds():
    return {what: make() for what, make in WORLDS.items()}


@pytest.fixture(scope="module")
def lacking():
    return {what: make() for what, (make, _) in LACKING.items()}


@pytest.mark.parametrize("name", ALL)
def test_bad_days_are_answered_in_form_or_with_a_reason(name, worlds):
    answered = 0
    for what, world in worlds.items():
        found = finding(ALL[name], world)
        answered += not found.abstained
        if found.abstained:
            assert len(found.abstained) > 15, what
        elif name in DAILY:
            assert found.estimate["label"] in BRIEF["candidates"]
        else:
            assert found.estimate["variable"].shape == (world.sizes["unit"],)
            assert set(found.estimate["variable"]) <= set(VARIABLES)
    assert answered >= (5 if name in DAILY else 8)


@pytest.mark.parametrize("name", TUNING)
def test_units_that_never_fire_or_never_pause_are_called_none(name, worlds):
    for what in ("as it should be", "a tenth was not seen", "days of unequal length"):
        named = finding(TUNING[name], worlds[what]).estimate["variable"]
        assert named[SILENT] == "none", what
        assert named[CLOCK] == "none" or name in ("grid", "border"), what
    assert set(finding(TUNING[name], worlds["all silent"]).estimate["variable"]) == {"none"}


@pytest.mark.parametrize("what", LACKING)
@pytest.mark.parametrize("name", ALL)
def test_what_is_missing_is_named(name, what, lacking):
    said = finding(ALL[name], lacking[what]).abstained
    assert any(word in said for word in LACKING[what][1])


@pytest.mark.parametrize(
    ("days", "units", "words"), [(2, UNITS, "3 trials"), (3, 4, "5 units"), (3, 5, "")], ids=["days", "units", "both"]
)
def test_drift_takes_three_days_and_five_units(days, units, words):
    world = forage(path(days, 40.0), units, 40.0)
    for method in DAILY.values():
        assert words in finding(method, world).abstained


def test_a_verdict_that_is_no_candidate_is_not_given():
    other = forage().assign_attrs(brief={"candidates": ("stable code", "ring attractor")})
    assert finding(AcrossSessions(), other).abstained.startswith("drifting code is none")
    renamed = AcrossSessions(drifting="ring attractor", stretch=4.0)
    assert finding(renamed, other).estimate["label"] == "stable code"
    few = AcrossSessions(least_spikes=10_000)
    assert "0 maps can be compared" in finding(few, forage()).abstained


def test_surrogates_and_folds_take_longer_recordings_than_they_are_given():
    world = forage()
    for name in ("shifted", "permuted", "subtracted", "curve"):
        assert "shifted by 50 s" in finding(replace(TUNING[name], least_shift=50.0), world).abstained
    assert "too few for 100 folds" in finding(SelectedModel(folds=100), world).abstained


def test_who_asks_about_the_speed_is_not_told_about_places_or_headings():
    world = forage().assign_attrs(brief={"variables": ("speed", "none")})
    assert "head direction" in finding(DirectionVector(), world).abstained
    assert "place" in finding(MapScore(), world).abstained
    for name in ("shifted", "corrected", "selected"):
        found = finding(TUNING[name], world)
        assert set(found.estimate["variable"]) <= {"speed", "none"}
        truth = xr.Dataset(
            {"variable": ("unit", np.full(UNITS, "none", object)), "unasked": ("unit", np.zeros(UNITS, bool))}
        )
        assert np.isnan(Tuning().score(found, truth)["recall"])  # nobody is tuned
