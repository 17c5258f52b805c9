"""Cells that follow place, heading, speed or nothing, and cells that wander with their means and spreads."""

from __future__ import annotations

import numpy as np
import pytest

import simlab
from circuits.space.driven import VARIABLES, spread
from circuits.space.feedforward_grid import driven_truths
from circuits.space.grid_attractor import GridAttractor
from circuits.space.navigation_cells import NavigationCells
from circuits.space.place_cells import PlaceCells
from circuits.space.trajectory import STEP
from circuits.space.wandering_cells import WanderingCells
from simlab.contracts import SimlabError
from simlab.streams import stream


@pytest.mark.parametrize("name", ["navigation_cells", "wandering_cells"])
def test_they_keep_the_contract(name):
    assert simlab.check(name).ok


def passing(place, heading: float, speed: float) -> np.ndarray:
    """A path (step, 2) [m] that goes straight and is at a place in its middle step, the tenth."""
    way = np.arange(-10, 11)[:, None] * STEP * speed
    return np.asarray(place) + way * [np.cos(heading), np.sin(heading)]


def test_each_cell_follows_what_the_truth_says_and_nothing_else():
    subject = NavigationCells(n_neurons=40).subject(stream(1, "subject"))
    kind = subject.truth("tuning", None, stream(1, "truth"))["variable"].values
    assert {name: int((kind == name).sum()) for name in (*VARIABLES, "none")} == dict.fromkeys((*VARIABLES, "none"), 10)
    here, there = (0.5, 0.5), (0.4, 0.7)
    before = subject.tuned(passing(here, 0.5, 0.1))[10]
    changed = {
        "position": subject.tuned(passing(there, 0.5, 0.1))[10],
        "head_direction": subject.tuned(passing(here, 2.0, 0.1))[10],
        "speed": subject.tuned(passing(here, 0.5, 0.2))[10],
    }
    for name, after in changed.items():
        moved = np.abs(after - before)
        assert moved[kind != name].max() < 1e-6
        assert np.median(moved[kind == name]) > 1e-3
    assert np.median((changed["speed"] - before)[kind == "speed"]) == pytest.approx(4.0)  # 40 Hz/(m/s)
    assert (before[kind == "none"] == 2.0).all()


def test_wandering_cells_have_means_and_spreads_of_their_twins_and_code_nothing():
    like = PlaceCells(n_neurons=20)
    mean, variation = spread(like.subject(stream(3, "subject")))
    rival = WanderingCells(memory=1.0).imitating(like).subject(stream(3, "subject"))
    rates = rival.rates(rival.session(trials=20, duration=20.0, rng=stream(3, "session")), stream(3, "run"))
    found = rates.mean(axis=(0, 1))
    # 400 s hold some 200 independent values of CV 1.9: 13% of a mean, 3% of that of twenty
    assert found.mean() == pytest.approx(mean.mean(), rel=0.1)
    assert np.corrcoef(found, mean)[0, 1] > 0.6
    logs = np.log(rates).std(axis=(0, 1))
    assert logs == pytest.approx(np.sqrt(np.log1p(variation**2)), rel=0.25)
    assert set(rival.truth("tuning", None, stream(3, "t"))["variable"].values) == {"none"}


def test_grids_that_the_place_drives_are_tuned_to_it():
    told = driven_truths(GridAttractor(n_neurons=5))["tuning"]()
    assert told["variable"].values.tolist() == ["position"] * 5
    assert tuple(told["candidate"].values) == VARIABLES


def test_shares_beyond_all_cells_are_refused():
    with pytest.raises(SimlabError, match="sum to 1 at most"):
        NavigationCells(position=0.5, head_direction=0.5, speed=0.5)
