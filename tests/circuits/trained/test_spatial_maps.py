"""Maps: what is a grid, of what period and how many modules, on lattices that are written down."""

from __future__ import annotations

import numpy as np
import pytest

from circuits.trained.spatial_maps import GRID, NO_GRID, autocorrelograms, floor_maps, grid_scores, modules, periods
from methods.topology._rate_maps import autocorrelogram
from methods.topology._rate_maps import grid_score as of_the_method

N, BOX = 40, 2.2
PLACE = (np.indices((N, N)).reshape(2, -1).T + 0.5) / N * BOX


def waves(period: float, angles: tuple[float, ...], turn: float, shift: np.ndarray) -> np.ndarray:
    """(x, y): a sum of waves in directions [degrees], rectified as rates are."""
    angle = np.deg2rad(np.array(angles)) + turn
    phase = (PLACE - shift) @ np.stack([np.cos(angle), np.sin(angle)]) * 2 * np.pi / period
    return np.maximum(np.cos(phase).sum(axis=1) / len(angles) + 0.2, 0.0).reshape(N, N)


def lattices(period: float, angles: tuple[float, ...], n: int = 6) -> np.ndarray:
    rng = np.random.default_rng(3)
    return np.array([waves(period, angles, rng.uniform(0, np.pi), rng.uniform(0, BOX, 2)) for _ in range(n)])


@pytest.mark.parametrize("period", [0.5, 0.7, 0.9])
def test_a_triangular_lattice_is_a_grid_of_its_period(period):
    maps = lattices(period * np.sqrt(3) / 2, (0, 60, 120))  # fields of three waves are 2 / sqrt(3) wavelengths apart
    assert (grid_scores(maps) > GRID).all()
    assert np.median(periods(maps, BOX)) == pytest.approx(period, rel=0.04)


@pytest.mark.parametrize("angles", [(0,), (0, 90)])
def test_bands_and_squares_are_none(angles):
    assert (grid_scores(lattices(0.6, angles)) < NO_GRID).all()


def test_a_single_field_and_noise_are_none_and_a_flat_map_scores_less_than_any():
    field = np.exp(-np.square(PLACE - [0.8, 1.3]).sum(axis=1) / (2 * 0.12**2)).reshape(1, N, N)
    noise = np.random.default_rng(0).normal(size=(4, N, N))
    assert (grid_scores(np.concatenate([field, noise])) < GRID).all()
    assert grid_scores(np.full((1, N, N), 0.1 + 0.2))[0] == -2
    assert periods(np.full((1, N, N), 3.0), BOX)[0] == 0


def test_scores_agree_with_those_of_the_method_that_is_written_another_way():
    maps = np.concatenate([lattices(0.6, (0, 60, 120)), lattices(0.6, (0,)), lattices(0.6, (0, 90))])
    ours, theirs = grid_scores(maps), np.array([of_the_method(autocorrelogram(one)) for one in maps])
    assert np.corrcoef(ours, theirs)[0, 1] > 0.95
    assert np.allclose(
        autocorrelograms(maps[:1])[0, 20:-20, 20:-20], autocorrelogram(maps[0])[20:-20, 20:-20], atol=1e-6
    )


def test_periods_of_one_module_are_one_and_those_of_two_are_told_apart():
    rng = np.random.default_rng(1)
    one = 0.5 * np.exp(rng.normal(0, 0.07, 30))
    two = np.r_[one, 0.71 * np.exp(rng.normal(0, 0.05, 20))]
    assert set(modules(one)) == {0}
    found = modules(two)
    assert len(set(found)) == 2
    assert (found[:30] == found[0]).mean() > 0.9
    assert set(modules(np.r_[one, 3.0])) == {0}  # a stray cell makes no module
    assert modules(np.empty(0)).size == 0


def test_a_map_is_the_mean_in_each_bin_and_an_unvisited_bin_takes_its_neighbours():
    place = np.array([[0.1, 0.1], [0.2, 0.2], [2.9, 2.9], [0.1, 2.9], [2.9, 0.1]])
    maps = floor_maps(place, np.array([[1.0], [3.0], [8.0], [5.0], [6.0]]), 3.0, 3)
    assert maps[0, [0, 0, 2, 2], [0, 2, 0, 2]].tolist() == [2.0, 5.0, 6.0, 8.0]
    assert maps[0, 0, 1] in (2.0, 5.0)
    assert maps[0, 2, 1] in (6.0, 8.0)
    assert floor_maps(place[:1], np.array([[4.0]]), 3.0, 3).tolist() == [[[4.0] * 3] * 3]
