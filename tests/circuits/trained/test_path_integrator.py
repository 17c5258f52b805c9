"""Trained path integrators, tiny ones: what is learnt, what is the same for a seed, and what their truths say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import simlab
from circuits.space.trajectory import Walk
from circuits.trained.path_integrator import PathIntegrator
from circuits.trained.path_training import Paths, Schedule, Weights, initial, stride, trained
from circuits.trained.untrained_integrator import UntrainedIntegrator
from simlab.contracts import SimlabError
from simlab.questions.form import check_truth
from simlab.questions.spatial_pattern import SpatialPattern
from simlab.session import Effect
from simlab.streams import stream

QUICK = Schedule(steps=50, batch=16, learning_rate=5e-3, walked=960.0)
TINY = PathIntegrator(
    target="cartesian", n_neurons=16, n_outputs=12, n_steps=6, tested=400, schedule=QUICK, walk=Walk(box=1.0)
)
CELLS = PathIntegrator(
    target="gaussian", n_neurons=16, n_outputs=24, width=0.2, n_steps=6, tested=400, schedule=QUICK, walk=Walk(box=1.0)
)


@pytest.fixture(scope="module")
def learnt():
    """One that has learnt to tell x and y, the same before it had, and its losses."""
    subject = TINY.subject(stream(1, "subject"))
    rng = np.random.default_rng(subject.seed)
    weights, losses = trained(subject.target, subject.start, TINY.walk, TINY.step, TINY.n_steps, QUICK, rng)
    return subject, UntrainedIntegrator(like=TINY).subject(stream(1, "subject")), weights, losses


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"target": "grid"}, "target"), ({"width": 0.0}, "width"), ({"ratio": 1.0}, "ratio"),
        ({"n_steps": 1}, "n_steps"),
        ({"ratio": 1.5, "ratios": 0.6}, "ratio less ratios must be > 1"), ({"step": 0.0153}, "multiple of 0.01 s"),
        ({"schedule": QUICK, "peak": -1.0}, "peak"),
    ],
)  # fmt: skip
def test_what_no_network_can_have_is_refused(wrong, says):
    with pytest.raises(SimlabError, match=says):
        PathIntegrator(**wrong)
    with pytest.raises(SimlabError, match="learning_rate"):
        Schedule(learning_rate=0.0)


def test_it_learns_and_is_the_same_to_the_bit_for_the_same_seed(learnt):
    subject, before, weights, losses = learnt
    assert len(losses) == QUICK.steps
    assert losses[-5:].mean() < 0.5 * losses[0]
    for again, first, start in zip(subject.weights, weights, before.weights, strict=True):
        assert np.array_equal(again, first)
        assert not np.array_equal(again, start)
    assert subject.examined[1] < 0.5 * before.examined[1]


def test_every_code_can_be_trained_and_a_population_better_than_chance():
    subject = CELLS.subject(stream(2, "subject"))
    place, states = subject.tested()
    assert states.shape == (*place.shape[:2], 16)
    assert subject.examined[1] < 0.9 * np.linalg.norm(place - place.mean(axis=(0, 1)), axis=-1).mean()


def test_a_training_that_diverges_says_so():
    rng = np.random.default_rng(0)
    subject = TINY.subject(stream(1, "subject"))
    wild = Weights(*(w * 1e12 for w in initial(16, 2, rng)))
    with pytest.raises(SimlabError, match="diverged"):
        trained(subject.target, wild, TINY.walk, TINY.step, 6, replace(QUICK, learning_rate=1.0), rng)


def test_weights_move_down_the_slopes_of_the_loss_as_finite_differences_show_them(learnt):
    subject = learnt[0]
    slow = replace(QUICK, learning_rate=1e-6, weight_decay=0.0)  # fifty steps of Adam along nearly one slope
    moved, _ = trained(subject.target, subject.start, TINY.walk, TINY.step, 6, slow, np.random.default_rng(4))
    rng = np.random.default_rng(5)
    walked = Paths.over(960.0, TINY.walk, TINY.step, 6, rng)
    paths = walked.place[walked.legs(800, 6, rng)].astype(float)

    def loss(weights: Weights) -> float:
        state, error = subject.target.cue(paths[:, 0]) @ weights.encoder, []
        for t in range(1, 7):
            pushed = (paths[:, t] - paths[:, t - 1]) @ weights.inward / stride(TINY.walk, TINY.step)
            state = np.maximum(state @ weights.recurrent + pushed, 0)
            error.append((state @ weights.readout - subject.target.at(paths[:, t])) ** 2)
        return float(np.mean(error))

    start = Weights(*(w.astype(float) for w in subject.start))
    for name in Weights._fields:
        slopes = np.zeros_like(getattr(start, name))
        for cell in np.ndindex(*slopes.shape) if slopes.size < 50 else [(k, k % slopes.shape[1]) for k in range(12)]:
            ends = []
            for shift in (1e-4, -1e-4):
                changed = getattr(start, name).copy()
                changed[cell] += shift
                ends.append(loss(start._replace(**{name: changed})))
            slopes[cell] = ends[0] - ends[1]
        steep = np.abs(slopes) > 0.3 * np.abs(slopes).max()
        gone = getattr(moved, name) - getattr(subject.start, name)
        assert (np.sign(gone[steep]) == -np.sign(slopes[steep])).all()


def test_its_rates_are_its_states_in_hz_and_begin_anew_with_each_leg(learnt):
    subject = learnt[0]
    session = subject.session(trials=2, duration=4.0, rng=stream(1, "session"))
    rates = subject.rates(session)[:, ::25]
    path = session.stimulus.values[:, [*range(0, 400, 25), 399]]
    state = subject.target.cue(path[:, 0]) @ subject.weights.encoder
    for k in range(12):
        if k == TINY.n_steps:
            state = subject.target.cue(path[:, k]) @ subject.weights.encoder
        moved = (path[:, k + 1] - path[:, k]) @ subject.inward
        state = np.maximum(state @ subject.weights.recurrent + moved, 0)
        assert np.allclose(rates[:, k], state * subject.gain, rtol=1e-4, atol=1e-4)
    maps = subject.maps * subject.gain[:, None, None]
    assert np.allclose(maps.max(axis=(1, 2))[subject.maps.max(axis=(1, 2)) > 1e-9], TINY.peak)


def test_effects_act_where_and_when_they_are_aimed(learnt):
    subject = learnt[0]
    session = subject.session(trials=2, duration=1.0, rng=stream(1, "session"))
    one = np.arange(16) == 3
    free = subject.rates(session)
    held = subject.rates(session.perturbed(Effect("hold", np.where(one, 50.0, np.nan), 0.25, 0.5, (0,))))
    assert (held[0, 25:50, 3] == 50).all()
    assert np.allclose(held[0, :25], free[0, :25])
    assert np.allclose(held[1], free[1])
    heard = (50 - free[0, 30, 3]) * subject.recurrent[3]
    other = np.flatnonzero((held[0, 60] > 0) & (free[0, 60] > 0) & ~one)
    assert np.allclose((held - free)[0, 60, other], heard[other], rtol=1e-3, atol=1e-3)
    cut = subject.rates(session.perturbed(Effect("gain", np.zeros(16), 0.0, 1.0, (0,))))
    moved = np.diff(session.stimulus.values[0, [50, 75]], axis=0)[0] @ subject.inward * subject.gain
    assert np.allclose(cut[0, 60], np.maximum(moved, 0), atol=1e-4)


def test_wiring_is_what_a_pulse_to_one_unit_does_to_the_others(learnt):
    subject = learnt[0]
    told = subject.truth("connectivity", None, stream(0, "truth"))["weight"].values
    assert not np.diag(told).any()
    assert np.allclose(told + np.diag(np.diag(subject.recurrent)), subject.recurrent)


def test_where_nothing_is_seen_nothing_is_told(learnt):
    subject = learnt[0]
    session = simlab.Session(1, 1.0)
    assert not subject.rates(session).any()


def test_the_truth_names_grids_by_their_score_and_keeps_the_error(learnt):
    told = learnt[0].truth("spatial_pattern", None, stream(0, "truth"))
    check_truth(told, SpatialPattern())
    score, grid, doubtful = (told[name].values for name in ("grid_score", "grid", "doubtful"))
    assert (grid <= (score > 0.8)).all()
    assert not (grid & doubtful).any()
    assert (doubtful | (score <= 0.3) | grid).all()
    assert float(told["decoding_error"]) == pytest.approx(learnt[0].examined[1])
    with pytest.raises(LookupError, match="path_integrator can answer spatial_pattern"):
        learnt[0].truth("tuning", None, stream(0, "truth"))


def test_the_rival_is_the_same_network_before_its_training(learnt):
    subject, before = learnt[:2]
    rival = UntrainedIntegrator()
    assert rival.imitating(TINY).like is TINY
    assert np.array_equal(before.weights.recurrent, subject.start.recurrent)
    assert np.array_equal(before.target.slopes, subject.target.slopes)
    peaks = (before.maps * before.gain[:, None, None]).max(axis=(1, 2))
    assert np.allclose(peaks[before.maps.max(axis=(1, 2)) > 1e-9], TINY.peak)  # as the trained one's


@pytest.mark.parametrize("circuit", [TINY, UntrainedIntegrator(like=TINY)])
def test_they_keep_the_contract_of_circuits(circuit):
    assert simlab.check(circuit).ok


def test_legs_are_pieces_of_one_path_and_begin_anywhere():
    rng = np.random.default_rng(0)
    walk = Walk(box=1.0)
    paths = Paths.over(960.0, walk, 0.25, 6, rng)
    legs = paths.legs(500, 6, rng)
    places = paths.place[legs]
    gone = np.linalg.norm(np.diff(places, axis=1), axis=-1)
    assert places.shape == (500, 7, 2)
    assert places.min() >= 0
    assert places.max() <= 1
    assert gone.max() < 0.15  # nobody jumps from the end of one path to the beginning of another
    assert gone.mean() == pytest.approx(stride(walk, 0.25), rel=0.15)
    assert len(np.unique(legs[:, 0])) > 350


def test_weights_begin_evenly_within_what_glorot_gives():
    weights = initial(30, 50, np.random.default_rng(1))
    shapes = {"encoder": (50, 30), "inward": (2, 30), "recurrent": (30, 30), "readout": (30, 50)}
    for name, shape in shapes.items():
        found, most = getattr(weights, name), np.sqrt(6 / sum(shape))
        assert (found.shape, found.dtype) == (shape, np.float32)
        assert 0.9 * most < np.abs(found).max() <= most * (1 + 1e-6)


def test_a_subject_is_its_seeds_and_differs_from_others():
    one, same, other = (TINY.subject(stream(k, "subject")) for k in (5, 5, 6))
    assert one.seed == same.seed != other.seed
    assert np.array_equal(one.start.encoder, same.start.encoder)
    assert not np.array_equal(one.start.encoder, other.start.encoder)
    assert one.anatomy.identical(same.anatomy)


def test_parameters_of_the_training_change_nobody_who_is_drawn():
    longer = replace(TINY, schedule=replace(QUICK, steps=90))
    assert np.array_equal(TINY.subject(stream(5, "s")).start.readout, longer.subject(stream(5, "s")).start.readout)
