"""Times of events: matched one to one, counted per minute, and false where there is none."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from simlab import truths
from simlab.contracts import Finding, SimlabError
from simlab.questions.events import Events, matched
from simlab.questions.form import check_truth

QUESTION = Events()


def truth_of(*events: tuple[int, float], content: list[int] | None = None) -> xr.Dataset:
    trial, time = [t for t, _ in events], [s for _, s in events]
    told = truths.happened(np.array(trial, dtype=int), np.array(time, dtype=float), 2.0, content and np.array(content))
    check_truth(told, QUESTION)
    return QUESTION.project(told, xr.DataArray(np.eye(2), dims=("unit", "neuron")))


def claimed(*events: tuple[int, float], **more: object) -> Finding:
    trial, time = [t for t, _ in events], [s for _, s in events]
    return Finding({"rate": len(events) / 2, "event_trial": trial, "event_time": time} | more)


def test_each_event_is_found_by_one_entry_and_none_finds_two() -> None:
    found = np.array([[0, 1.02], [0, 1.04], [0, 5.0], [1, 1.0]])
    true = np.array([[0, 1.0], [0, 1.08], [0, 9.0]])
    assert matched(found, true, 0.05).tolist() == [[0, 0], [1, 1]]  # nearest alone would leave the second one out


def test_scores_worked_by_hand() -> None:
    truth = truth_of((0, 1.0), (0, 2.0), (1, 1.0), (1, 3.0))
    scores = QUESTION.score(claimed((0, 1.01), (0, 2.03), (1, 7.0)), truth)
    assert scores["precision"] == pytest.approx(2 / 3)
    assert scores["recall"] == pytest.approx(1 / 2)
    assert scores["f1"] == pytest.approx(4 / 7)
    assert scores["rate_ratio"] == pytest.approx(3 / 4)
    assert scores["false_per_minute"] == pytest.approx(1 / 2)
    assert scores["time_error"] == pytest.approx(0.02)
    assert not QUESTION.recovered(scores)
    assert QUESTION.recovered(QUESTION.score(claimed((0, 1.0), (0, 2.0), (1, 1.0)), truth))  # f1 6/7


def test_content_is_scored_where_it_was_stated() -> None:
    truth = truth_of((0, 1.0), (0, 2.0), (1, 1.0), content=[1, -1, 1])
    scores = QUESTION.score(claimed((0, 1.0), (0, 2.0), (1, 1.0), content=[1, 1, 0]), truth)
    assert scores["content_accuracy"] == pytest.approx(1 / 2)


def test_where_nothing_happened_silence_is_right_and_claims_are_false() -> None:
    nothing = truth_of()
    assert QUESTION.recovered(QUESTION.score(claimed(), nothing))
    assert not QUESTION.false_recovery(claimed((0, 1.0), (0, 2.0)), nothing)  # one a minute is tolerated
    assert QUESTION.false_recovery(claimed((0, 1.0), (0, 2.0), (1, 3.0)), nothing)
    assert QUESTION.score(claimed((0, 1.0)), nothing)["f1"] == 0.0


def test_chance_is_what_scattered_events_get() -> None:
    rng, n = np.random.default_rng(1), 40
    truth = truth_of(*((0, s) for s in np.sort(rng.uniform(0, 120, n))))
    seen = xr.Dataset({}, {"trial": [0]}, {"duration": 120.0})
    got = [QUESTION.score(QUESTION.baselines()["random"](truth, seen, rng), truth)["f1"] for _ in range(100)]
    assert QUESTION.chance(truth)["f1"] == pytest.approx(40 * 0.1 / 120)
    assert np.mean(got) == pytest.approx(QUESTION.chance(truth)["f1"], abs=0.012)  # sd .03 over 100


def test_an_event_before_the_trial_is_refused() -> None:
    with pytest.raises(SimlabError, match="event_time"):
        QUESTION.score(claimed((0, -1.0)), truth_of((0, 1.0)))
