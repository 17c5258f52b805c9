"""Persistence of planted clouds, and methods of shape on planted populations: what they find, miss and refuse."""

from __future__ import annotations

from functools import cache

import numpy as np
import planted_shapes as planted
import pytest

from methods.population.persistent_homology import farthest_points
from methods.topology._clouds import above_largest_gap, dense_states, persistence
from methods.topology._rate_maps import autocorrelogram, grid_score, spatial_information
from methods.topology.cohomology_by_subsampling import CohomologyBySubsampling
from methods.topology.denoised_homology import DenoisedHomology
from methods.topology.grid_score import GridScore
from simlab.data import missing

pytest.importorskip("gudhi")
BY_GAP = CohomologyBySubsampling(n_points=500)
DENOISED = DenoisedHomology(n_points=250, n_points_voids=150, n_shuffles=4)
MAPS = GridScore(n_bins=24, n_shuffles=1)
TORUS, RING, SHEET = (1, 2, 1), (1, 1, 0), (1, 0, 0)


def rng(seed=0):
    return np.random.default_rng(seed)


@cache
def population(kind, n_units=60):
    """A planted Recording."""
    session = None if kind in ("angle", "none") else planted.foraging()
    if kind == "none":
        return planted.recorded(np.full((5, 3000, n_units // 2), 4.0), rng(1))
    if session is None:
        return planted.recorded(planted.angle_rates(n_units, rng(1)), rng(2))
    rates = {"grid": planted.grid_rates, "place": planted.place_rates}[kind](session.stimulus.values, n_units, rng(1))
    return planted.recorded(rates, rng(2), session)


@cache
def found(method, kind):
    return method.analyse(population(kind), rng(3))


def betti(finding):
    return tuple(finding.estimate[b] for b in ("b0", "b1", "b2"))


def test_a_flat_torus_has_two_loops_and_a_void_and_a_ball_has_none():
    angle = rng().uniform(0, 2 * np.pi, (3000, 2))
    torus = np.stack([f(angle[:, k]) for k in range(2) for f in (np.cos, np.sin)], axis=1)
    lives = persistence(farthest_points(torus, 200, rng()), (0, 1, 2), field=3)
    assert above_largest_gap(lives[1]) == 2
    assert lives[2][0] > 5 * lives[2][1:].max(initial=0.0)
    assert lives[2][0] > 0.3
    # Each circle of unit radius is filled at sqrt(3), if the cut-off lies beyond that (Adamaszek & Adams 2017).
    assert 0.7 < lives[1][1] < np.sqrt(3)
    assert len(lives[0]) == 199
    ball = rng().normal(size=(200, 3))
    assert persistence(ball, (1,), field=3)[0].max() < 0.8 * lives[1][1]


def test_the_gap_is_one_between_lifetimes():
    assert above_largest_gap(np.array([1.0, 0.9, 0.2, 0.1])) == 2
    assert above_largest_gap(np.array([1.0])) == above_largest_gap(np.zeros(0)) == 0


def test_sparse_states_are_left_out_and_noise_is_averaged_out():
    angle = rng().uniform(0, 2 * np.pi, 2000)
    circle = np.c_[np.cos(angle), np.sin(angle)]
    noisy = np.concatenate([circle + rng().normal(0, 0.1, circle.shape), rng().uniform(-3, 3, (100, 2))])
    kept = dense_states(noisy, 30, 0.9)
    assert np.abs(np.linalg.norm(kept, axis=1) - 1).max() < 0.3
    assert np.linalg.norm(kept, axis=1).std() < 0.075  # of one state, 0.1


@pytest.mark.parametrize("method", [BY_GAP, DENOISED], ids=lambda method: method.name)
def test_homology_finds_the_torus_of_grid_cells_and_the_ring_of_head_direction_cells(method):
    assert betti(found(method, "grid")) == TORUS
    assert betti(found(method, "angle")) == RING


def test_units_that_know_nothing_of_one_another_have_no_shape_beyond_chance_but_always_a_largest_gap():
    assert betti(found(DENOISED, "none"))[1:] == (0, 0)
    assert found(BY_GAP, "none").estimate["b1"] >= 1


def test_grid_scores_say_torus_place_fields_a_sheet_and_nothing_is_said_of_untuned_units():
    assert betti(found(MAPS, "grid")) == TORUS
    assert betti(found(MAPS, "place")) == SHEET
    untuned = planted.recorded(np.full((10, 3000, 12), 4.0), rng(4), planted.foraging())
    assert "no majority" in MAPS.analyse(untuned, rng()).abstained


def test_what_is_missing_is_a_reason_to_abstain():
    assert "stimulus" in missing(population("angle"), GridScore.needs)
    assert "coordinates" in MAPS.analyse(population("grid").assign_coords(feature=["r", "phi"]), rng()).abstained
    few = population("none").isel(unit=slice(0, 3))
    few = planted.recorded(np.full((2, 3000, 3), 4.0), rng())
    silent = planted.recorded(np.zeros((2, 3000, 12)), rng())
    short = planted.recorded(np.full((1, 300, 12), 4.0), rng())
    for method in (BY_GAP, DENOISED):
        assert "at least 5 units" in method.analyse(few, rng()).abstained
        assert "0 of 12 units are active" in method.analyse(silent, rng()).abstained
        assert method.analyse(short, rng()).abstained


def test_a_grid_has_a_grid_score_and_a_square_lattice_and_stripes_have_none():
    x, y = np.meshgrid(np.linspace(0, 1, 40), np.linspace(0, 1, 40), indexing="ij")
    waves = [np.cos(2 * np.pi * 3 * (np.cos(a) * x + np.sin(a) * y)) for a in np.deg2rad([0, 60, 120])]
    square = np.cos(6 * np.pi * x) + np.cos(6 * np.pi * y)
    grid, lattice, stripes = (grid_score(autocorrelogram(m)) for m in (sum(waves), square, waves[0]))
    assert grid > 1.0
    assert max(lattice, stripes) < 0.3


def test_information_of_a_cell_that_fires_in_a_quarter_of_the_floor_is_two_bits():
    rates = np.zeros((4, 4))
    rates[:2, :2] = 8.0
    assert spatial_information(rates, np.ones((4, 4))) == pytest.approx(2.0)
    assert spatial_information(np.zeros((4, 4)), np.ones((4, 4))) == 0.0
