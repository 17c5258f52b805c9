"""Populations that tell two stimuli apart: noise that limits what they tell, and as much noise that does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import simlab
from circuits.coding.discrimination import Discrimination
from circuits.coding.feedforward_hypercolumn import FeedforwardHypercolumn
from circuits.coding.harmless_noise import HarmlessNoise
from circuits.coding.hypercolumn import Hypercolumn, drawn, rest
from circuits.coding.information_limiting import InformationLimiting, slow
from simlab.contracts import SimlabError
from simlab.data import in_window
from simlab.instruments.recording.perfect import Perfect
from simlab.questions.information import Information
from simlab.session import Effect, Session
from simlab.streams import stream

QUESTION, DURATION = Information(), 0.5
SMALL = InformationLimiting(n_neurons=10, drift=0.2, drift_trials=2.0, gain=0.2)
COLUMN = Hypercolumn(n_neurons=10)


def ran(circuit, trials=4, seed=1):
    """Activity of one subject, and the truth about it over neurons."""
    subject = circuit.subject(stream(seed, "subject"))
    session = subject.session(trials=trials, duration=DURATION, rng=stream(seed, "session"))
    activity = subject.run(session, stream(seed, "run"))
    return activity, subject.truth("information", activity, stream(seed, "truth"))


def held(circuit, seed=1) -> float:
    """The true information of all neurons."""
    _, truth = ran(circuit, seed=seed)
    n = truth.sizes["neuron"]
    return float(QUESTION.project(truth, Perfect().implant(_anatomy(n), stream(1, "i")).key)["information"])


def _anatomy(n):
    return InformationLimiting(n_neurons=n).subject(stream(1, "subject")).anatomy


@pytest.mark.parametrize("name", ["information_limiting", "harmless_noise", "hypercolumn", "feedforward_hypercolumn"])
def test_they_keep_the_contract(name):
    assert simlab.check(name).ok


@pytest.mark.parametrize(
    "circuit",
    [SMALL, HarmlessNoise(like=SMALL), COLUMN, FeedforwardHypercolumn(like=COLUMN)],
    ids=lambda circuit: circuit.name,
)
def test_the_truth_is_what_eight_thousand_trials_show(circuit):
    """Bands: four standard errors; a variance of Poisson counts has (2 + 1 / mean) / trials, squared and relative."""
    activity, truth = ran(circuit, 8_000)
    counts, larger = in_window(activity, 0.0, DURATION), activity["condition"].values == 1
    covariance = truth["covariance"].values
    spread = np.sqrt(np.diag(covariance))
    slope = (counts[larger].mean(axis=0) - counts[~larger].mean(axis=0)) / circuit.task.step
    assert np.abs(slope - truth["derivative"].values).max() < 4 * (spread * 2 / np.sqrt(8_000) / 0.15).max()
    measured = (np.cov(counts[larger].T) + np.cov(counts[~larger].T)) / 2
    error = np.abs((measured - covariance) / np.outer(spread, spread))
    assert np.diag(error).max() < 4 * np.sqrt((2.5 + 1 / truth["level"].values.min()) / 8_000)
    assert error[~np.eye(10, dtype=bool)].max() < 4 * np.sqrt(2 / 8_000)
    assert counts.mean(axis=0) == pytest.approx(truth["level"].values, rel=0.06)


def test_noise_along_the_code_sets_a_limit_and_noise_across_it_none():
    """1 / I = blur^2 + a / N with it (Sherman & Morrison); across, next to what there is without any, which doubles."""
    fine = InformationLimiting(task=Discrimination(step=0.02))
    limited, across, without = (
        np.array([held(change(replace(fine, n_neurons=n))) for n in (30, 60, 120, 240)])
        for change in (lambda c: c, lambda c: HarmlessNoise(like=c), lambda c: replace(c, blur=0.0))
    )
    assert 1 / limited == pytest.approx(1 / without + fine.blur**2, rel=0.02)
    assert limited[-1] < 1 / fine.blur**2
    assert without[1:] / without[:-1] == pytest.approx(np.full(3, 2.0), abs=0.02)
    assert (across / without > 0.85).all()
    assert [bool(ran(c)[1]["saturates"]) for c in (fine, HarmlessNoise(like=fine), replace(fine, blur=0.0))] == [
        True,
        False,
        False,
    ]


def test_neurons_of_both_have_the_same_counts_and_pairs_correlations_of_one_size():
    (_, one), (_, other) = ran(InformationLimiting()), ran(HarmlessNoise())
    for name in ("level", "derivative"):
        assert other[name].values == pytest.approx(one[name].values)
    first, second = (told["covariance"].values for told in (one, other))
    assert np.diag(first) == pytest.approx(np.diag(second))
    pairs = np.triu_indices(60, 1)
    scale = np.sqrt(np.outer(np.diag(first), np.diag(first)))[pairs]
    a, b = first[pairs] / scale, second[pairs] / scale
    assert abs(a.mean() - b.mean()) < 0.005
    assert a.std() == pytest.approx(b.std(), rel=0.05)
    assert np.corrcoef(a, b)[0, 1] < 0.5


def test_no_hypercolumn_knows_more_than_its_input_and_one_fed_neuron_by_neuron_does():
    fine = Hypercolumn(task=Discrimination(step=0.03))
    limited, free = (
        [held(change(replace(fine, n_neurons=n))) for n in (15, 30, 60)]
        for change in (lambda c: c, lambda c: FeedforwardHypercolumn(like=c))
    )
    assert np.diff(limited).min() > 0
    assert 0.8 < limited[-1] * fine.blur**2 < 1
    assert free[-1] > 3.5 * free[0]


def test_recurrence_sharpens_its_input():
    """Half width at half height of the rates above the lowest, against 45 degrees of the input's cosine."""
    column = drawn(Hypercolumn(n_neurons=90), np.random.default_rng(0))
    rate = column.rates(np.zeros(1), np.zeros((1, 3)))[0]
    above = rate - rate.min() > (rate.max() - rate.min()) / 2
    assert 10 < above.sum() < 35  # of 90 neurons 2 degrees apart, where the input has 45
    assert rate.max() > 5


def test_a_feedforward_hypercolumn_has_its_tuning_its_variances_and_correlations_of_the_same_sizes():
    (_, one), (_, other) = ran(Hypercolumn()), ran(FeedforwardHypercolumn())
    for name in ("level", "derivative"):
        assert other[name].values == pytest.approx(one[name].values)
    first, second = (told["covariance"].values for told in (one, other))
    assert np.diag(second) == pytest.approx(np.diag(first), rel=1e-6)
    pairs = np.triu_indices(60, 1)
    scale = np.sqrt(np.outer(np.diag(first), np.diag(first)))[pairs]
    a, b = first[pairs] / scale, second[pairs] / scale
    assert a.std() == pytest.approx(b.std(), rel=0.2)
    assert np.corrcoef(np.abs(a), np.abs(b))[0, 1] > 0.95
    assert abs(a.mean() - b.mean()) < 0.01
    assert np.corrcoef(a, b)[0, 1] < 0.5


@pytest.mark.parametrize("circuit", [COLUMN, FeedforwardHypercolumn(like=COLUMN)], ids=lambda circuit: circuit.name)
def test_a_driven_neuron_moves_others_where_there_are_synapses_and_nobody_else_where_there_are_none(circuit):
    subject = circuit.subject(stream(1, "subject"))
    session = subject.session(trials=200, duration=DURATION, rng=stream(1, "session"))
    driven = session.perturbed(Effect("drive", np.where(np.arange(10) == 0, 1.0, 0.0), 0.0, DURATION))
    before, after = (in_window(subject.run(s, stream(1, "run")), 0.0, DURATION).mean(axis=0) for s in (session, driven))
    assert after[0] > before[0] + 2
    moved = (after - before)[1:]
    reached = subject.truth("connectivity", None, stream(1, "t"))["weight"].values[0, 1:]
    assert (np.abs(moved).max() > 0.5) == bool(reached.any()) == (circuit is COLUMN)


def test_rates_that_run_away_are_an_error():
    with pytest.raises(SimlabError, match="run away"):
        rest(np.ones((1, 3)), 1.0, lambda r: 3.0 * r)


def test_without_tuning_there_is_nothing_to_be_limited():
    _, truth = ran(InformationLimiting(n_neurons=5, sharpness=0.0))
    assert "saturates" not in truth
    assert not truth["derivative"].values.any()


def test_stimuli_come_in_equal_numbers_mixed_or_in_blocks():
    for order, runs in (("mixed", None), ("blocks", 4)):
        session = Discrimination(order=order).session(40, 0.5, np.random.default_rng(0))
        side = np.array(session.conditions)
        assert side.sum() == 20
        assert session.stimulus.values[:, 0, 0] == pytest.approx(0.15 * (side - 0.5))
        assert runs is None or len(np.flatnonzero(np.diff(side))) + 1 == runs


def test_drift_has_unit_variance_and_its_memory():
    values = slow((400, 200), 10.0, np.random.default_rng(0))
    assert values.var() == pytest.approx(1, abs=0.08)
    assert (values[10:] * values[:-10]).mean() == pytest.approx(np.exp(-1), abs=0.08)


def test_without_a_stimulus_the_reference_is_seen():
    subject = SMALL.subject(stream(1, "subject"))
    activity = subject.run(Session(2000, DURATION), stream(1, "run"))
    expected = subject.moments(np.zeros(1)).mean[0] * DURATION
    assert in_window(activity, 0.0, DURATION).mean(axis=0) == pytest.approx(expected, abs=0.2)
