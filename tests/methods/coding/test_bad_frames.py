"""Frames of one's own at rigs whose cells are planted: what is shown and paid for, and what is said of odd cells."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
from planted_frames import FEATURES, Planted, always, half_linear, white

from methods.coding._shown import Screen, borne_out, driven, own, unit
from methods.coding.evolved_stimulus import EvolvedStimulus, _weights
from methods.coding.proxy_stimulus import ProxyStimulus
from simlab.contracts import Budget, Finding

W = unit(np.random.default_rng(4).standard_normal((2, 9)))
"""(unit, feature) the filters of both units."""
SEEING = half_linear(*W)
EVOLVED = EvolvedStimulus(generations=6, repeats=8, duration=1.0)
LINEAR = ProxyStimulus(proxy="linear", duration=1.0, fewest=100)
LOOSE = replace(LINEAR, checked=False)
METHODS = (EVOLVED, replace(EVOLVED, filters=2), LINEAR, replace(LINEAR, filters=2), LOOSE)
every = pytest.mark.parametrize("method", METHODS, ids=lambda m: f"{m.name} {METHODS.index(m)}")


def investigated(method, world: Planted, budget: Budget) -> tuple[Finding, Budget]:
    """The finding, and what was spent."""
    with world.rig(budget) as rig, warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        return method.investigate(rig, np.random.default_rng(0)), rig.spent


def screened(world: Planted) -> Screen:
    with world.rig(Budget(100)) as rig:
        return Screen.at(rig, 1.0)


@pytest.mark.parametrize("method", [replace(EVOLVED, generations=12), LINEAR, LOOSE], ids=["bred", "checked", "loose"])
def test_without_noise_the_filters_are_found(method):
    finding, spent = investigated(method, Planted(SEEING), Budget(150))
    overlap = (unit(finding.estimate["filter"]) * W).sum(axis=1)
    assert (overlap > 0.9).all()
    assert 100 < spent.trials <= 150
    assert "second_filter" not in finding.estimate


@pytest.mark.parametrize("method", [replace(EVOLVED, filters=2), replace(LINEAR, filters=2)], ids=["bred", "proxy"])
def test_a_second_filter_of_cells_with_one_is_nothing(method):
    finding, _ = investigated(method, Planted(SEEING), Budget(400))
    assert not finding.estimate["second_filter"].any()
    assert finding.estimate["filter"].any(axis=1).all()


@every
@pytest.mark.parametrize("count", [0, 3])
def test_cells_that_are_silent_or_always_fire_have_no_filter(method, count):
    """But the proxy has, unless it is asked: a model has an optimum."""
    finding, _ = investigated(method, Planted(always(count)), Budget(60))
    none = not finding.estimate["filter"].any()
    assert none == (method is not LOOSE or count == 0)


@every
def test_one_silent_cell_takes_nothing_from_the_other(method):
    finding, _ = investigated(method, Planted(half_linear(W[0], 0 * W[0])), Budget(200))
    assert abs(unit(finding.estimate["filter"])[0] @ W[0]) > 0.9
    if method is not LOOSE:
        assert not finding.estimate["filter"][1].any()


def dark(trials: int, frames: int, rng: np.random.Generator) -> np.ndarray:
    return np.zeros((trials, frames, len(FEATURES)))


LACKING = {
    "no stimulus": (Planted(SEEING, task=None), "this task shows no frames"),
    "three features": (
        Planted(SEEING, task=lambda *size: white(*size)[:, :, :3], features=FEATURES[:3]), "this task shows no frames",
    ),
    "frames longer than trials": (Planted(SEEING, interval=1.5), "this task shows no frames"),
    "darkness": (Planted(SEEING, task=dark), "nothing but darkness"),
    "nothing ever": (Planted(SEEING, task=lambda *size: np.nan * white(*size)), "nothing but darkness"),
}  # fmt: skip


@every
@pytest.mark.parametrize("what", LACKING)
def test_what_the_task_lacks_is_named_and_costs_nothing(method, what):
    world, words = LACKING[what]
    finding, spent = investigated(method, world, Budget(200))
    assert words in finding.abstained
    assert spent.trials == 0


@every
@pytest.mark.parametrize("budget", [Budget(0), Budget(seconds=0.5), Budget(1), Budget(3), Budget(seconds=7.0)])
def test_what_the_budget_does_not_buy_is_named_and_costs_nothing(method, budget):
    finding, spent = investigated(method, Planted(SEEING), budget)
    assert "the budget" in finding.abstained
    assert "buy" in finding.abstained
    assert spent.trials == 0


@every
@pytest.mark.parametrize("budget", [Budget(67, 61.7)])
def test_nobody_spends_more_than_there_is(method, budget):
    finding, spent = investigated(method, Planted(SEEING), budget)
    assert spent.trials <= budget.trials
    assert spent.seconds <= budget.seconds + 1e-9
    assert finding.abstained or all(np.isfinite(value).all() for value in finding.estimate.values())


@every
def test_a_trace_with_gaps_in_place_of_spikes_is_said(method):
    finding, _ = investigated(method, Planted(SEEING, signal=True), Budget(200))
    assert "spikes" in finding.abstained


@pytest.mark.parametrize(
    ("budget", "most", "frames"),
    [(Budget(7), 10_000, 70), (Budget(7), 34, 30), (Budget(seconds=4.2), 10_000, 40), (Budget(9, 3.0), 10_000, 30),
     (Budget(7), 9, 0)],
)  # fmt: skip
def test_frames_are_bought_in_whole_trials(budget, most, frames):
    with Planted(SEEING).rig(budget) as rig:
        screen = Screen.at(rig, 1.0)
        assert screen.per_trial == 10
        assert screen.affordable(most) == frames


def test_the_contrast_is_that_of_the_task():
    doubled = screened(Planted(SEEING, task=lambda *size: 2 * white(*size)))
    assert doubled.contrast == pytest.approx(2 * screened(Planted(SEEING)).contrast)
    flat = screened(Planted(SEEING, task=lambda trials, frames, rng: np.full((trials, frames, 9), 2.0)))
    assert flat.contrast == pytest.approx(6.0)  # sqrt(9 x 4)
    assert unit(np.array([[0.0, 0.0], [3.0, 4.0]])).tolist() == [[0, 0], [0.6, 0.8]]


def test_frames_are_shown_as_long_as_those_of_the_task_and_answered_in_order():
    world, rng = Planted(SEEING), np.random.default_rng(1)
    frames = rng.standard_normal((23, 9)) * rng.uniform(0.1, 30, (23, 1))
    with world.rig(Budget(10)) as rig:
        screen = Screen.at(rig, 1.0)
        counts = screen.answers(frames)
        assert rig.spent.trials == 3
    shown = world.sessions[-1].stimulus.values
    assert np.linalg.norm(shown, axis=2) == pytest.approx(screen.contrast)
    assert counts.tolist() == SEEING((screen.contrast * unit(frames))[None])[0].tolist()
    assert shown.reshape(-1, 9)[23:] == pytest.approx(shown.reshape(-1, 9)[:7])  # filled up with the first


def test_each_unit_is_asked_about_frames_of_its_own_in_mixed_order():
    world, frames = Planted(SEEING), np.random.default_rng(2).standard_normal((2, 15, 9))
    with world.rig(Budget(10)) as rig:
        screen = Screen.at(rig, 1.0)
        counts = own(screen, frames, np.random.default_rng(0))
    expected = SEEING(screen.contrast * unit(frames))
    assert counts.tolist() == [expected[k, :, k].tolist() for k in range(2)]
    first = world.sessions[-1].stimulus.values.reshape(-1, 9)[:15]
    mine = [np.isclose(first[:, None], screen.contrast * unit(frames[k])).all(axis=2).any() for k in range(2)]
    assert mine == [True, True]


def test_natural_frames_come_with_the_counts_in_them_and_gaps_are_dark():
    def gaps(trials: int, frames: int, rng: np.random.Generator) -> np.ndarray:
        values = white(trials, frames, rng)
        values[:, ::4] = np.nan
        return values

    with Planted(SEEING, task=gaps).rig(Budget(10)) as rig:
        frames, counts = Screen.at(rig, 1.0).natural(60)
    assert frames.shape == (60, 9)
    assert not frames.reshape(6, 10, 9)[:, ::4].any()
    assert counts.tolist() == SEEING(frames[None])[0].tolist()


def test_a_frame_drives_a_cell_by_the_errors_of_the_noise():
    with Planted(SEEING).rig(Budget(50)) as rig:
        screen = Screen.at(rig, 1.0)
        liked, not_liked = driven(screen, np.stack([W[0], -W[1]]), 20, np.random.default_rng(0))
    assert liked[0] == round(10 * screen.contrast)
    assert liked[2] > 3
    assert not_liked[2] < -2  # it fires less than to noise
    assert not_liked[0] == 0
    with Planted(always(2)).rig(Budget(50)) as rig:  # no variance: no error, and no effect
        tests = driven(Screen.at(rig, 1.0), W, 20, np.random.default_rng(0))
    assert tests.tolist() == [[2, 2, 0], [2, 2, 0]]
    assert not borne_out(tests[None], 0.0, 0.25).any()


@pytest.mark.parametrize("filters", [1, 2])
@pytest.mark.parametrize("trials", [30, 77, 500])
@pytest.mark.parametrize("units", [1, 2, 7])
def test_generations_and_the_test_fit_into_the_budget(filters, trials, units):
    method = replace(EVOLVED, filters=filters)
    with Planted(always(1, units), units=units).rig(Budget(trials)) as rig:
        offspring, generations = method._planned(Screen.at(rig, 1.0))
    whole = [-(-frames * units // 10) for frames in (offspring, 2 * method.repeats)]  # trials of ten frames
    if generations >= 1:
        assert filters * (generations * whole[0] + whole[1]) <= trials
        assert offspring >= method.fewest
    assert generations <= method.generations


@pytest.mark.parametrize("n", [2, 3, 8, 13])
def test_only_the_better_half_of_a_litter_breeds_and_ties_are_broken(n):
    rng = np.random.default_rng(0)
    weight = _weights(np.array([np.arange(n)] * 2), rng)
    assert (np.diff(weight) >= 0).all()
    expected = np.log(n / 2 + 0.5) - np.log(np.arange(n, 0, -1))
    assert weight[0] == pytest.approx(np.maximum(expected, 0))
    alike = np.array([_weights(np.zeros((1, n)), rng)[0].argmax() for _ in range(100)])
    assert set(alike) == set(range(n))
