"""What trained networks are shown and asked for: levels, frames, onsets and targets, by hand."""

import numpy as np
import pytest

from circuits.trained.tasks import FRAME, READ, SCALE, Evidence, TwoSources, Value, each_step, frames, read
from circuits.trained.training import STEP
from simlab.contracts import SimlabError
from simlab.session import Session, Stimulus


def drawn(task, trials=1200, seed=0):
    return task.session(trials, task.duration, np.random.default_rng(seed))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: Evidence(noise=-1.0), "noise"),
        (lambda: Evidence(coherences=(0.1, 0.2, 9.0)), "coherences"),
        (lambda: Value(tolerance=0.0), "tolerance"),
        (lambda: TwoSources(duration=0.1), "duration"),
    ],
)
def test_impossible_tasks_are_refused(make, reason):
    with pytest.raises(SimlabError, match=reason):
        make()


def test_frames_are_a_tenth_of_a_second_after_a_fifth_of_one():
    assert frames(1.0) == (10, 2, FRAME)
    assert frames(2.0) == (20, 2, FRAME)  # the pause is never longer than a fifth of a second
    assert frames(0.5) == (5, 1, FRAME)
    number, before, width = frames(0.2)  # short trials have five
    assert (number, before) == (5, 1)
    assert width == pytest.approx(0.04)


def test_evidence_has_its_coherence_for_a_mean_and_noise_in_every_frame():
    task = Evidence()
    session = drawn(task)
    shown, condition = session.stimulus.values[:, :, 0], np.array(session.conditions)
    assert np.isnan(shown[:, :2]).all()
    assert np.isfinite(shown[:, 2:]).all()
    assert np.bincount(condition).tolist() == [200] * 6
    levels = np.array([shown[condition == k, 2:].mean() for k in range(6)])
    # 200 x 8 frames of sd .2: a standard error of .005
    assert levels == pytest.approx([-0.128, -0.064, -0.032, 0.032, 0.064, 0.128], abs=0.02)
    assert shown[:, 2:].std() == pytest.approx(np.hypot(0.2, 0.0847), abs=0.01)
    assert np.array_equal(task.right(session), np.where(condition < 3, -1.0, 1.0))


def test_without_conditions_the_right_side_is_that_of_what_was_shown():
    values = np.full((3, 10, 1), np.nan)
    values[:, 2:, 0] = np.array([-0.1, 0.1, 0.0])[:, None]
    session = Session(3, 1.0, Stimulus(("evidence",), values, 0.1))
    assert Evidence().right(session).tolist() == [-1.0, 1.0, 1.0]
    both = np.concatenate([values, -values, np.array([1.0, -1.0, -1.0])[:, None, None] * np.ones((3, 10, 1))], axis=2)
    of_two = Session(3, 1.0, Stimulus(("motion", "colour", "context"), both, 0.1))
    assert TwoSources().right(of_two).tolist() == [-1.0, -1.0, 1.0]  # motion -.1, colour -.1, colour 0


def test_the_report_that_is_wanted_is_the_integral():
    inputs, target, weight = Evidence().batch(50, np.random.default_rng(0))
    assert (weight == 1).all()
    assert target[:, -1] == pytest.approx(SCALE * inputs[:, :, 0].sum(axis=1) * STEP)
    assert not target[:, : round(0.2 / STEP)].any()


def test_the_best_is_what_the_sum_of_all_frames_gets():
    task = Evidence()
    session = drawn(task, 12_000)
    said = np.sign(np.nansum(session.stimulus.values[:, :, 0], axis=1))
    # 12,000 trials: a standard error of .0035
    assert (said == task.right(session)).mean() == pytest.approx(task.best(), abs=0.012)
    assert Value().best() == 1.0
    assert Evidence(noise=0.0).best() == 1.0


def test_a_value_is_wanted_from_a_tenth_of_a_second_after_its_cue_on():
    inputs, target, weight = Value().batch(20, np.random.default_rng(0))
    shown = inputs[:, 0, 0]
    assert (inputs[:, :13, 0] == shown[:, None]).all()
    assert not inputs[:, 13:].any()
    assert (target == shown[:, None]).all()
    assert not weight[:, :18].any()
    assert weight[:, 18:].all()


def test_reports_near_the_value_are_right_and_those_beyond_are_not():
    task, session = Value(tolerance=0.25), drawn(Value(), 40)
    value = session.stimulus.values[:, 0, 0]
    report = np.tile(value[:, None], (1, 100))
    off = np.where(np.arange(40) % 2, 0.24, -0.26)
    assert np.array_equal(task.outcome(session, report + off[:, None]), (np.arange(40) % 2).astype(float))
    late = report.copy()
    late[:, : -round(READ / STEP)] = 9.0  # what counts is the end
    assert task.outcome(session, late).all()
    assert read(late) == pytest.approx(value)


def test_what_counts_is_wanted_between_bounds():
    task = TwoSources()
    inputs, target, _ = task.batch(200, np.random.default_rng(0))
    counts = np.where(inputs[:, :, 2] > 0, inputs[:, :, 0], inputs[:, :, 1])
    assert np.abs(target).max() == 1.0
    inside = np.abs(SCALE * STEP * np.cumsum(counts, axis=1)).max(axis=1) < 1
    assert target[inside, -1] == pytest.approx(SCALE * STEP * counts[inside].sum(axis=1))
    assert 20 < inside.sum() < 180


def test_the_senses_are_independent_of_each_other_and_of_the_context():
    shown = drawn(TwoSources(), 1440).stimulus.values
    motion, colour = np.nanmean(shown[:, :, 0], axis=1), np.nanmean(shown[:, :, 1], axis=1)
    together = np.corrcoef([motion, colour, shown[:, 0, 2]])
    assert np.abs(together[np.triu_indices(3, 1)]).max() < 0.08  # 1,440 trials: a standard error of .026
    assert np.isfinite(shown[:, :, 2]).all()  # it is on throughout


def test_each_feature_is_read_by_name_and_is_zero_where_nothing_is_shown():
    session = drawn(TwoSources(), 3)
    colour = each_step(session, "colour")
    assert colour.shape == (3, 50)
    assert not colour[:, :10].any()
    assert np.array_equal(colour[:, 12], session.stimulus.values[:, 2, 1])
    with pytest.raises(SimlabError, match="this task shows 'smell'"):
        each_step(session, "smell")


def test_probes_leave_a_network_along_its_range_or_without_evidence():
    levels = Evidence().probes()[:, 0, 0]
    assert SCALE * levels * Evidence().duration == pytest.approx(np.linspace(-1, 1, 9))
    assert not Evidence().probes()[:, -25:].any()
    assert Value().probes()[:, 0, 0] == pytest.approx(np.linspace(-1, 1, 9))
    assert TwoSources().probes()[:, :, 2].tolist() == [[1.0] * 50, [-1.0] * 50]
    assert not TwoSources().probes()[:, :, :2].any()
