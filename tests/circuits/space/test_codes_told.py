"""What cells that follow an animal are said to follow, by equations that are worked out another way."""

from __future__ import annotations

import numpy as np
import pytest

from circuits.space.drifting_gain import DriftingGain
from circuits.space.drifting_tuning import DriftingTuning
from circuits.space.driven import VARIABLES, DrivenSubject, codes, spread
from circuits.space.feedforward_grid import FeedforwardGrid, driven_truths
from circuits.space.foraging import foraging_session
from circuits.space.grid_attractor import GridAttractor
from circuits.space.modulated_grid import ModulatedGrid
from circuits.space.navigation_cells import NavigationCells
from circuits.space.place_cells import PlaceCells, scattered
from circuits.space.trajectory import STEP, Walk
from circuits.space.wandering_cells import WanderingCells
from simlab.contracts import SimlabError
from simlab.data import anatomy
from simlab.streams import stream

PLACES = PlaceCells(n_neurons=9, walk=Walk(box=2.0))
MIXED = NavigationCells(n_neurons=10, position=0.3, head_direction=0.2, speed=0.1)
CODES = {
    "place cells": (PLACES, {"position": 9}),
    "navigation": (MIXED, {"position": 3, "head_direction": 2, "speed": 1, "none": 4}),
    "all of a kind": (NavigationCells(n_neurons=5, position=0.0, head_direction=1.0, speed=0.0), {"head_direction": 5}),
    "wandering places": (WanderingCells(like=PLACES), {"none": 9}),
    "wandering others": (WanderingCells(like=MIXED), {"none": 10}),
    "walking fields": (DriftingTuning(like=PLACES), {"position": 9}),
    "fields that stay": (DriftingGain(like=DriftingTuning(like=PLACES)), {"position": 9}),
}


@pytest.mark.parametrize("name", CODES)
def test_the_truth_names_the_variable_of_every_cell_among_the_same_candidates(name):
    circuit, counts = CODES[name]
    subject = circuit.subject(stream(1, "subject"))
    told = subject.truth("tuning", None, stream(1, "truth"))
    said = told["variable"].values.tolist()
    assert {each: said.count(each) for each in set(said)} == counts
    assert tuple(told["candidate"].values) == VARIABLES
    assert subject.anatomy.sizes["neuron"] == len(said)
    if "connectivity" in circuit.questions:
        assert not subject.truth("connectivity", None, stream(1, "truth"))["weight"].values.any()
    with pytest.raises(LookupError, match=circuit.name):
        subject.truth("assemblies", None, stream(1, "truth"))


def test_grids_that_the_place_drives_follow_the_place_and_have_no_dynamics():
    like = GridAttractor(n_neurons=7)
    answers = driven_truths(like)
    assert answers["tuning"]()["variable"].values.tolist() == ["position"] * 7
    assert str(answers["dynamics"]()["label"].values) == "driven"
    for rival in (FeedforwardGrid(), ModulatedGrid(depth=0.5)):
        copy = rival.imitating(like)
        assert copy.like is like
        assert copy == type(rival)(**{**vars(rival), "like": like})
        assert rival.twin_of == ("grid_attractor",)
        assert {*answers, "spatial_pattern"} == set(rival.questions)


@pytest.mark.parametrize("place", [(0.1, 0.2), (1.0, 1.9), (2.0, 0.0)])
def test_a_place_field_is_a_round_gaussian_over_a_background(place):
    subject = PLACES.subject(stream(2, "subject"))
    centres = scattered(9, stream(2, "subject")) * 2.0
    gain = np.arange(1.0, 10.0)
    squares = ((np.array(place) - centres) ** 2).sum(axis=1)
    assert subject.tuned(np.array(place)) == pytest.approx(0.1 + 10 * np.exp(-squares / (2 * 0.12**2)))
    assert PLACES.rates(centres, np.array(place), gain) - 0.1 == pytest.approx(
        gain * (subject.tuned(np.array(place)) - 0.1)
    )
    assert PLACES.rates(centres, centres).diagonal() == pytest.approx(np.full(9, 10.1))


@pytest.mark.parametrize(("n", "side"), [(1, 1), (4, 2), (5, 3), (9, 3), (10, 4)])
def test_fields_are_scattered_one_to_a_square(n, side):
    at = scattered(n, stream(3, "fields"))
    squares = {tuple(square) for square in (at * side).astype(int).tolist()}
    assert len(squares) == n
    assert (at >= 0).all() & (at < 1).all()


def test_headings_and_speeds_drive_cells_by_von_mises_and_a_line():
    kind, centre = np.array(["head_direction", "speed", "none", "position"]), np.full((4, 2), 0.5)
    angle = np.array([np.pi / 3, 0.0, 0.0, 0.0])
    for turn, speed in ((0.0, 0.05), (np.pi / 3, 0.2), (-2.0, 0.5)):
        path = [0.5, 0.5] + np.arange(3)[:, None] * STEP * speed * np.array([np.cos(turn), np.sin(turn)])
        rate = NavigationCells()._rates(path, kind, centre, angle)[0]
        assert rate[0] == pytest.approx(0.1 + 10 * np.exp(4 * (np.cos(turn - np.pi / 3) - 1)))
        assert rate[1] == pytest.approx(2 + 40 * speed)
        assert rate[2:] == pytest.approx([2.0, 10.1])
    at_rest = NavigationCells()._rates(np.full((1, 2), 0.5), kind, centre, angle)[0]
    assert at_rest[1] == 2.0
    # the docstring: above half its peak over 69 degrees
    assert np.exp(4 * (np.cos(np.deg2rad(69 / 2)) - 1)) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("drift", [0.0, 0.05, 3.0])
def test_fields_walk_as_far_as_was_said_and_never_leave_the_box(drift):
    subject = DriftingTuning(like=PLACES, drift=drift).subject(stream(4, "subject"))
    centres, gain = subject.course(400, stream(4, "course"))
    assert (gain == 1).all()
    assert centres.shape == (400, 9, 2)
    assert (centres >= 0).all() & (centres <= 2).all()
    assert centres[0] == pytest.approx(scattered(9, stream(4, "subject")) * 2.0)
    steps = np.diff(centres, axis=0)
    if drift == 0.05:
        inside = (np.abs(centres[:-1] - 1) < 0.7).all(axis=2)  # six steps from a wall
        assert steps[inside].std() == pytest.approx(0.05, rel=0.05)
    if drift == 0.0:
        assert not steps.any()
    if drift == 3.0:
        assert centres[1:].mean() == pytest.approx(1.0, abs=0.05)  # anywhere: sd .58 of 7182
        assert centres[1:].std() == pytest.approx(2 / np.sqrt(12), rel=0.05)


@pytest.mark.parametrize(("spread_of", "kept"), [(0.0, 0.7), (1.0, 0.0), (0.5, 0.9), (1.0, 1.0)])
def test_peaks_change_with_a_mean_of_one_and_the_memory_that_was_said(spread_of, kept):
    circuit = DriftingGain(like=DriftingTuning(like=PlaceCells(n_neurons=100)), spread=spread_of, kept=kept)
    centres, gain = circuit.subject(stream(5, "subject")).course(200, stream(5, "course"))
    assert not np.ptp(centres, axis=0).any()
    if spread_of == 0:
        assert (gain == 1).all()
        return
    z = (np.log(gain) + spread_of**2 / 2) / spread_of
    if kept == 1:
        assert np.ptp(z, axis=0).max() < 1e-9
        return
    assert z.std() == pytest.approx(1.0, abs=0.1)
    assert (z[1:] * z[:-1]).mean() == pytest.approx(kept, abs=0.1)
    assert gain.mean() == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize(("frequency", "depth"), [(8.0, 0.8), (4.0, 0.0), (10.0, 0.3)])
def test_a_rhythm_has_the_depth_and_frequency_that_were_said(frequency, depth):
    time = np.arange(200) * STEP
    factor = ModulatedGrid(frequency=frequency, depth=depth)._rhythm(6, time, stream(6, "rhythm"))[..., 0]
    power = np.abs(np.fft.rfft(factor, axis=1)) / 100
    assert power[:, round(2 * frequency)] == pytest.approx(np.full(6, depth), abs=1e-9)
    assert factor.mean(axis=1) == pytest.approx(np.ones(6))
    assert (factor > 0).all()
    assert depth == 0 or len(np.unique(factor[:, 0].round(6))) == 6  # begins anywhere in each trial


def toy(replay: bool = False, gain=None) -> DrivenSubject:
    """A cell that fires as the animal is far to the right, and rests at 3 Hz."""
    place = anatomy(np.zeros((1, 3)), ["E"], "hippocampus")
    return DrivenSubject(
        PLACES, Walk(), 0.5, lambda at: 100 * at[..., :1], np.array([3.0]), replay, place,
        {"tuning": lambda: codes("position", 1)}, gain,
    )  # fmt: skip


def test_asleep_cells_rest_or_are_driven_by_a_place_that_nobody_sees():
    session = toy().session(trials=4, duration=2.0, rng=stream(7, "session"))
    seen = session.stimulus.values
    rates = toy().rates(session, stream(7, "run"))
    assert rates[:2, :, 0] == pytest.approx(100 * seen[:2, :, 0])
    assert (rates[2:] == 3.0).all()
    replayed = toy(replay=True).rates(session, stream(7, "run"))
    assert (replayed[:2] == rates[:2]).all()
    assert np.ptp(replayed[2:]) > 1
    doubled = toy(gain=lambda trials, time, rng: np.full((trials, len(time), 1), 2.0)).rates(session, stream(7, "run"))
    assert (doubled == 2 * rates).all()


def test_a_cell_that_follows_nothing_has_no_spread():
    steady = NavigationCells(n_neurons=4, position=0.0, head_direction=0.0, speed=0.0).subject(stream(8, "steady"))
    mean, variation = spread(steady)
    assert mean == pytest.approx(np.full(4, 2.0))
    assert variation == pytest.approx(np.zeros(4))
    twin = WanderingCells(like=steady.circuit).subject(stream(8, "steady"))
    session = foraging_session(Walk(), 0.0, 2, 1.0, stream(8, "session"))
    assert twin.rates(session, stream(8, "run")) == pytest.approx(np.full((2, 100, 4), 2.0))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: NavigationCells(position=0.5, head_direction=0.4, speed=0.2), ("sum to 1", "0.5, 0.4 and 0.2")),
        (lambda: NavigationCells(kappa=0.0), ("kappa", "0.01")),
        (lambda: NavigationCells(slope=-1.0), ("slope", "Hz/(m/s)")),
        (lambda: PlaceCells(width=0.0), ("width", "m")),
        (lambda: PlaceCells(n_neurons=0), ("n_neurons", "0")),
        (lambda: WanderingCells(memory=0.0), ("memory", "0.01")),
        (lambda: WanderingCells(like=GridAttractor()), ("like", "PlaceCells")),
        (lambda: DriftingTuning(drift=-0.1), ("drift", "-0.1")),
        (lambda: DriftingGain(kept=1.5), ("kept", "1.5")),
        (lambda: DriftingGain(spread=6.0), ("spread", "6")),
        (lambda: ModulatedGrid(depth=1.0), ("depth", "1")),
        (lambda: ModulatedGrid(frequency=0.0), ("frequency", "Hz")),
        (lambda: Walk(box=0.0), ("box", "0.1")),
    ],
)
def test_odd_parameters_are_named_with_their_range(make, words):
    with pytest.raises(SimlabError) as refusal:
        make()
    assert all(word in str(refusal.value) for word in words)


def test_too_few_fields_to_cover_the_floor_have_no_shape():
    sparse = PlaceCells(n_neurons=3, width=0.02).subject(stream(9, "sparse"))
    with pytest.raises(SimlabError, match="got 3 fields: take more neurons or a larger width"):
        sparse.truth("topology", None, stream(9, "truth"))
