"""What is read of a recording before any lattice is looked for, on paths and maps of a few moments."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from methods.patterns._foraged import FEWEST, NEEDS, Foraged, answered
from methods.patterns.fourier_hexagon import spectra
from methods.patterns.gridness import _quantiles, _score
from methods.patterns.lattice_model import RIDGE, _rates
from simlab.contracts import Finding
from simlab.data import recording
from simlab.streams import stream

STEP = 0.5
LONG = NEEDS.seconds


def walked(place: np.ndarray, spikes: tuple[list[int], list[float], list[int]], units: int = 2) -> xr.Dataset:
    """A recording of places (trial, moment, 2) every half a second, with spikes (trial, time [s], unit)."""
    columns = tuple(np.array(column, dtype=kind) for column, kind in zip(spikes, (int, float, int), strict=True))
    return recording(
        duration=place.shape[1] * STEP, n_units=units, n_trials=len(place), spikes=columns, stimulus=place,
        time=np.arange(place.shape[1]) * STEP,
    ).assign_coords(feature=["x", "y"])  # fmt: skip


def corners(trials: int = 1) -> np.ndarray:
    """(trial, moment, 2): from corner to corner of a floor of 1 by 2 m, a moment in each."""
    round_ = np.array([[0.0, 0.0], [0.0, 2.0], [1.0, 2.0], [1.0, 0.0]])
    return np.tile(round_, (trials, round(LONG / STEP / 4), 1))


def test_spikes_fall_in_the_bin_where_the_animal_was_in_their_moment():
    seen = Foraged.of(walked(corners(), ([0, 0, 0], [0.1, 0.6, 1.9], [0, 1, 1])), 8)
    spikes, seconds = seen.counted()
    assert seconds.reshape(8, 8)[[0, 0, 7, 7], [0, 7, 7, 0]].tolist() == [LONG / 4] * 4
    assert seconds.sum() == LONG
    assert spikes[0].reshape(8, 8)[0, 0] == 1
    assert spikes[1].reshape(8, 8)[[0, 7], [7, 0]].tolist() == [1, 1]
    assert spikes.sum() == 3
    assert seen.edge.tolist() == [1.0, 2.0]


def test_moments_that_were_not_seen_are_left_out_with_their_spikes():
    place = corners(2)
    place[1, :10] = np.nan
    seen = Foraged.of(walked(place, ([0, 1, 1], [0.1, 0.2, 5.1], [0, 0, 1])), 8)
    assert len(seen.bins) == 2 * LONG / STEP - 10
    assert seen.unit.tolist() == [0, 1]
    assert seen.counted()[1].sum() == 2 * LONG - 5


def test_a_roll_keeps_each_units_spikes_and_moves_units_apart():
    time = (np.arange(100) % 20) * 1.0
    seen = Foraged.of(walked(corners(), ([0] * 200, [*time, *time], [0] * 100 + [1] * 100)), 8)
    rolled = seen.rolled(stream(1, "roll"))
    shift = [(rolled.moment[rolled.unit == k] - seen.moment[seen.unit == k]) % len(seen.bins) for k in (0, 1)]
    assert all(np.ptp(s) == 0 for s in shift)
    assert shift[0][0] != shift[1][0]
    tenth = len(seen.bins) // 10
    assert all(tenth <= s[0] <= len(seen.bins) - tenth for s in shift)


def test_units_with_few_spikes_are_not_heard():
    times = np.linspace(0, LONG - 1, FEWEST)
    many = ([0] * (FEWEST + 5), [*times, *times[:5]], [0] * FEWEST + [1] * 5)
    assert Foraged.of(walked(corners(), many), 8).heard.tolist() == [True, False]


@pytest.mark.parametrize(
    ("place", "says"),
    [
        (np.full((1, 240, 2), np.nan), "never seen"), (np.full((1, 240, 2), 0.5), "no floor"),
        (corners()[..., :2] * [1.0, 0.0], "no floor"), (corners()[:, :20], "of recording"),
    ],
)  # fmt: skip
def test_where_there_is_no_map_the_reason_is_said(place, says):
    found = Foraged.of(walked(place, ([0], [0.1], [0])), 8)
    assert isinstance(found, Finding)
    assert says in found.abstained


def test_an_answer_states_a_period_only_where_a_grid_is_called_and_none_without_a_period():
    found = answered(np.array([True, True, False]), np.array([0.5, 0.0, 0.7]), np.array([1.0, 0.9, -0.2]))
    assert found.estimate["grid"].tolist() == [True, False, False]
    assert found.estimate["period"].tolist() == [0.5, 0.0, 0.0]
    assert found.estimate["modules"] == 1
    assert answered(np.zeros(3, bool), np.ones(3), np.zeros(3)).estimate["modules"] == 0


def test_spectra_of_flat_and_silent_maps_have_no_power():
    maps = np.stack([np.zeros((20, 20)), np.full((20, 20), 0.1 + 0.2)])
    largest, hexagon, wave, least = spectra(maps, 1.0)
    assert (largest < 1e-20).all()
    assert (np.abs(hexagon) < 1e-6).all()
    assert np.isfinite(wave).all()
    assert (least < 1e-6).all()
    assert _score(maps[1]) == -2


def test_a_plane_wave_has_its_wave_number_and_no_hexagon():
    n, cycles = 40, 5
    wave = 1 + np.cos(2 * np.pi * cycles * (np.arange(n) + 0.5) / n)
    _, hexagon, _, least = spectra(np.repeat(wave[None, :, None], n, axis=2), 2.0)
    assert hexagon[0] < 0.05
    assert least[0] < 0.05


def test_quantiles_of_few_surrogates_borrow_their_shape_from_all_units():
    rng = np.random.default_rng(0)
    own = rng.normal([[0.0], [5.0]], [[1.0], [0.1]], (2, 400))
    found = _quantiles(own, 0.05)
    assert found == pytest.approx([1.645, 5.1645], abs=0.15)
    assert np.isfinite(_quantiles(np.zeros((3, 1)), 0.05)).all()


def test_rates_are_drawn_to_the_mean_where_there_were_few_seconds():
    rates = _rates(np.array([[20.0, 0.0, 1.0]]), np.array([10.0, 0.0, 0.1]))
    mean = 21 / 10.1
    assert rates[0] == pytest.approx([(20 + RIDGE * mean) / (10 + RIDGE), mean, (1 + RIDGE * mean) / (0.1 + RIDGE)])
