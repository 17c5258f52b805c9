"""Sessions of behaviour that are planted: what they can tell by permutation, and what they cannot."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from methods.coding.session_permutation import SessionPermutation
from simlab.contracts import Budget, Finding
from simlab.data import recording
from simlab.session import Session
from simlab.streams import stream

METHOD = SessionPermutation(sessions=5, orders=120)
BRIEF = {"variables": ("target", "none")}
FOLLOWS, SILENT, CLOCK, NOISE = range(4)


class Planted:
    """A rig whose unit 0 follows a target, unit 1 is silent, unit 2 fires five times and unit 3 as it likes.

    shown(session): the target (trial,) of each session. Names and values of the behaviour may be others.
    """

    def __init__(self, shown, trials: float = 200, seconds: float = 200.0, factor: str = "target", behaviour=True):
        self.brief, self.remaining = BRIEF, Budget(int(trials), seconds, 0)
        self.shown, self.factor, self.behaviour = shown, factor, behaviour
        self.asked: list[Session] = []

    def session(self, *, trials: int, duration: float) -> Session:
        return Session(trials, duration)

    def record(self, session: Session) -> xr.Dataset:
        k, trials = len(self.asked), session.trials
        self.asked.append(session)
        target, rng = self.shown(k, trials), stream(1, "planted", k)
        rates = np.stack(
            [5 + 4 * np.nan_to_num(target), np.zeros(trials), np.full(trials, np.inf), np.full(trials, 5.0)]
        )
        counts = np.where(np.isinf(rates), 5, rng.poisson(np.where(np.isinf(rates), 0, rates))).T
        trial, unit = (np.repeat(index.ravel(), counts.ravel()) for index in np.indices(counts.shape))
        spikes = trial, rng.uniform(0, session.duration, len(trial)), unit
        seen = {
            "behaviour": np.repeat(target[:, None, None], 2, axis=1),
            "time": np.array([0.0, 0.5 * session.duration]),
        }
        made = recording(
            duration=session.duration, n_units=4, n_trials=trials, spikes=spikes, **(seen if self.behaviour else {})
        )
        return made.assign_coords(factor=[self.factor]) if self.behaviour else made


def drawn(k: int, trials: int) -> np.ndarray:
    return stream(2, "target", k).uniform(-1, 1, trials)


def walking(k: int, trials: int) -> np.ndarray:
    walk = np.cumsum(stream(3, "walk", k).standard_normal(trials))
    return (walk - walk.mean()) / np.abs(walk).max()


def with_a_gap(k: int, trials: int) -> np.ndarray:
    target = drawn(k, trials)
    target[3] = np.nan
    return target


def found(method: SessionPermutation, rig: Planted) -> Finding:
    return method.investigate(rig, stream(4, "method"))


@pytest.mark.parametrize("shown", [drawn, walking], ids=["new in each trial", "slow"])
def test_who_follows_the_target_is_found_and_silent_and_steady_units_are_not(shown):
    answer = found(METHOD, Planted(shown))
    assert answer.estimate["variable"].tolist() == ["target", "none", "none", "none"]
    p = np.array(answer.notes["p"])[:, 0]
    assert p[FOLLOWS] == pytest.approx(1 / 120)  # all orders of five sessions, and one of them is the real one
    assert p[[SILENT, CLOCK]].tolist() == [1.0, 1.0]
    assert p[NOISE] > 0.05


@pytest.mark.parametrize(
    "shown",
    [lambda k, trials: drawn(0, trials), lambda k, trials: np.full(trials, 0.5)],
    ids=["the same in each session", "a single value"],
)
def test_sessions_that_are_all_alike_tell_nothing(shown):
    answer = found(METHOD, Planted(shown))
    assert set(answer.estimate["variable"]) == {"none"}
    assert np.array(answer.notes["p"]).tolist() == [[1.0]] * 4


@pytest.mark.parametrize(
    ("rig", "words"),
    [
        (Planted(drawn, trials=99), ("99 trials", "5 sessions of 20")),
        (Planted(drawn, seconds=0.5), ("0.5 s", "200 trials")),
        (Planted(drawn, trials=0, seconds=0.0), ("0 trials",)),
        (Planted(drawn, factor="choice"), ("target can be neither read",)),
        (Planted(drawn, behaviour=False), ("needs behaviour",)),
        (Planted(with_a_gap), ("missing in some trials",)),
    ],
    ids=["few trials", "few seconds", "nothing", "another variable", "no behaviour", "a gap"],
)
def test_what_is_missing_is_named_before_more_is_spent_than_a_session(rig, words):
    said = found(METHOD, rig).abstained
    assert all(word in said for word in words)
    assert len(rig.asked) <= 1


@pytest.mark.parametrize(("sessions", "level", "enough"), [(4, 0.05, True), (4, 0.04, False), (5, 0.01, True)])
def test_a_level_needs_as_many_orders_as_it_divides(sessions, level, enough):
    answer = found(replace(METHOD, sessions=sessions, level=level), Planted(drawn))
    assert ("too few orders" in answer.abstained) != enough


def test_a_brief_without_a_variable_is_not_answered():
    rig = Planted(drawn)
    rig.brief = {"variables": ("none",)}
    assert "names no variable" in found(METHOD, rig).abstained


def test_the_budget_is_divided_among_sessions_of_equally_many_trials():
    rig = Planted(drawn, trials=207, seconds=103.0)
    assert not found(METHOD, rig).abstained
    assert [s.trials for s in rig.asked] == [41] * 5
    assert {s.duration for s in rig.asked} == {0.5}  # 103 s of 205 trials, in hundredths
    assert sum(s.trials * s.duration for s in rig.asked) <= 103.0


def test_some_of_the_orders_are_drawn_where_there_are_many_and_the_real_one_is_among_them():
    t = np.zeros((6, 6, 3, 1))
    t[np.arange(6), np.arange(6), 0] = 5.0
    t[:, 0, 1] = 5.0
    p = SessionPermutation(orders=200)._p(t, stream(5, "orders"))[:, 0]
    assert p[0] <= 3 / 200  # that an order of six is the real one, again: 1 in 720
    assert p[1:].tolist() == [1.0, 1.0]  # the same sum in whatever order
