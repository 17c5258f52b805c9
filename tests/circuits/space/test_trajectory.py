"""The animal's walk: the statistics that are stated, and walls."""

import numpy as np
import pytest

from circuits.space.foraging import foraging_session, places
from circuits.space.trajectory import STEP, Walk, positions, velocities, wandering
from simlab.contracts import SimlabError
from simlab.session import Session, Stimulus


def test_speed_and_turning_have_the_means_and_memories_that_are_stated():
    velocity = velocities(Walk(), 50, 6000, np.random.default_rng(0))  # 3000 s
    speed = np.linalg.norm(velocity, axis=-1)
    # 3000 s of a process with memory .7 s: 2100 independent values; Rayleigh's sd is .52 of its mean.
    assert speed.mean() == pytest.approx(0.08, rel=0.05)
    assert speed.std() / speed.mean() == pytest.approx(np.sqrt(4 / np.pi - 1), rel=0.05)
    heading = np.unwrap(np.arctan2(velocity[..., 1], velocity[..., 0]), axis=1)
    turn = np.diff(heading, axis=1) / STEP
    assert np.degrees(turn.std()) == pytest.approx(120, rel=0.03)
    later = round(0.08 / STEP)
    assert np.mean(turn[:, later:] * turn[:, :-later]) / turn.var() == pytest.approx(np.exp(-1), abs=0.03)


def test_the_process_is_stationary_from_its_first_step():
    z = wandering(4000, 50, 0.1, np.random.default_rng(1))
    assert np.allclose(z.var(axis=0), 1, atol=0.1)  # 4000 trials: standard error .022, times four


def test_walls_keep_the_animal_in_and_it_visits_all_parts_of_the_box_alike():
    place = positions(Walk(box=0.5), 40, 12_000, np.random.default_rng(2))
    assert place.min() >= 0
    assert place.max() <= 0.5
    assert np.linalg.norm(np.diff(place, axis=1), axis=-1).max() < 0.6 * STEP
    share = np.histogram2d(*place.reshape(-1, 2).T, bins=3, range=[[0, 0.5]] * 2)[0] / place[..., 0].size
    assert np.allclose(share, 1 / 9, atol=0.03)


def test_a_session_ends_with_its_sleep_in_which_no_place_is_seen():
    session = foraging_session(Walk(), 0.5, 4, 1.0, np.random.default_rng(3))
    assert session.conditions == (0, 0, 1, 1)
    assert np.isnan(session.stimulus.values[2:]).all()
    assert places(session)[:2] == pytest.approx(session.stimulus.values[:2])
    assert foraging_session(Walk(), 0.0, 4, 1.0, np.random.default_rng(3)).conditions is None


def test_another_stimulus_is_refused():
    with pytest.raises(SimlabError, match="'x' and 'y'"):
        places(Session(1, 1.0, Stimulus(("angle",), np.zeros((1, 10, 1)), 0.1)))
