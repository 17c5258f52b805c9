"""Which cells that map a place are said to be grid cells, against the maps that they have."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from circuits.space.feedforward_grid import FeedforwardGrid
from circuits.space.grid_attractor import GridAttractor
from circuits.space.modulated_grid import ModulatedGrid
from circuits.space.place_cells import PlaceCells
from circuits.space.wandering_cells import WanderingCells
from circuits.trained.spatial_maps import grid_scores, periods
from simlab.questions.form import check_truth
from simlab.questions.spatial_pattern import SpatialPattern
from simlab.streams import stream

LIKE = GridAttractor(n_neurons=24, modules=2, spacing=0.4)
BOX, N = 2.0, 40
"""A floor that holds several periods of both modules, though their animal's box does not."""


def told(circuit: object):
    found = circuit.subject(stream(1, "subject")).truth("spatial_pattern", None, stream(1, "truth"))
    check_truth(found, SpatialPattern())
    return found


def test_grids_have_the_period_of_their_module_as_their_maps_show():
    subject = FeedforwardGrid(like=LIKE).subject(stream(1, "subject"))
    truth = told(FeedforwardGrid(like=LIKE))
    place = (np.indices((N, N)).reshape(2, -1).T + 0.5) / N * BOX
    maps = subject.tuned(place).T.reshape(-1, N, N)
    assert truth["grid"].values.all()
    assert (grid_scores(maps) > 0.5).all()
    for module, spacing in enumerate((0.4, 0.4 * 1.42)):
        those = truth["module"].values == module
        assert those.any()
        assert np.allclose(truth["period"].values[those], spacing)
        assert np.median(periods(maps[those], BOX)) == pytest.approx(spacing, rel=0.07)


def test_an_attractor_and_its_rivals_are_told_the_same():
    for rival in (FeedforwardGrid(like=LIKE), ModulatedGrid(like=LIKE)):
        assert told(rival).identical(told(LIKE))


def test_place_cells_and_those_that_follow_nothing_are_no_grid_cells():
    places = replace(PlaceCells(), n_neurons=9)
    for circuit in (places, WanderingCells(like=places)):
        assert not told(circuit)["grid"].values.any()
        assert not told(circuit)["doubtful"].values.any()
