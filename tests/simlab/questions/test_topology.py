"""Betti numbers: exact or not, and what a blind guess gets."""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr

from simlab.contracts import Finding, SimlabError
from simlab.data import recording
from simlab.questions.topology import CONTRACTIBLE, RING, TORUS, Topology

QUESTION = Topology()
KEY = xr.DataArray(np.eye(3), dims=("unit", "neuron"))


def truth_of(betti: tuple[int, int, int]) -> xr.Dataset:
    return QUESTION.project(xr.Dataset(dict(zip(("b0", "b1", "b2"), betti, strict=True))), KEY)


def finding_of(betti: tuple[float, float, float]) -> Finding:
    return Finding(dict(zip(("b0", "b1", "b2"), betti, strict=True)))


def poisson(modulated: bool, seed: int = 0) -> xr.Dataset:
    """Six units at 10 Hz for 50 trials of 1 s; modulated: at 20 or 0 Hz, a trial in two each."""
    rng = np.random.default_rng(seed)
    rate = rng.permuted(np.tile([0.0, 20.0], (6, 25)), axis=1) if modulated else np.full((6, 50), 10.0)
    counts = rng.poisson(rate)
    unit, trial = (np.repeat(index.ravel(), counts.ravel()) for index in np.indices(counts.shape))
    return recording(duration=1.0, n_units=6, n_trials=50, spikes=(trial, rng.random(len(unit)), unit))


def test_only_all_three_numbers_right_is_exact() -> None:
    assert QUESTION.score(finding_of(RING), truth_of(RING))["exact"] == 1
    wrong = QUESTION.score(finding_of(RING), truth_of(TORUS))
    assert wrong == {"exact": 0, "b0_error": 0, "b1_error": 1, "b2_error": 1}
    assert QUESTION.recovered({"exact": 1.0})
    assert not QUESTION.recovered(wrong)


def test_a_loop_or_void_that_is_not_there_is_a_false_recovery() -> None:
    assert QUESTION.false_recovery(finding_of(RING), truth_of(CONTRACTIBLE))
    assert QUESTION.false_recovery(finding_of((1, 1, 1)), truth_of(RING))
    assert not QUESTION.false_recovery(finding_of(RING), truth_of(TORUS))
    assert not QUESTION.false_recovery(finding_of((2, 0, 0)), truth_of(CONTRACTIBLE))


def test_an_abstention_scores_nothing_and_claims_nothing() -> None:
    silent = Finding.abstain("two units")
    assert all(math.isnan(value) for value in QUESTION.score(silent, truth_of(RING)).values())
    assert not QUESTION.recovered(QUESTION.score(silent, truth_of(RING)))
    assert not QUESTION.false_recovery(silent, truth_of(CONTRACTIBLE))


@pytest.mark.parametrize("betti", [(1, 0.5, 0), (1, -1, 0), (1, np.nan, 0)])
def test_numbers_that_are_no_betti_numbers_are_refused(betti: tuple[float, float, float]) -> None:
    with pytest.raises(SimlabError):
        QUESTION.score(finding_of(betti), truth_of(RING))


def test_a_missing_number_is_named() -> None:
    with pytest.raises(SimlabError, match="lacks b2"):
        QUESTION.score(Finding({"b0": 1, "b1": 1}), truth_of(RING))


def test_chance_is_what_the_random_baseline_gets() -> None:
    rng, truth = np.random.default_rng(0), truth_of(RING)
    draws = [
        QUESTION.score(QUESTION.baselines()["random"](truth, poisson(False), rng), truth)["exact"] for _ in range(1000)
    ]
    # 1 in 5 shapes; standard error sqrt(.2 x .8 / 1000) = .0126, band of four
    assert QUESTION.chance(truth)["exact"] == 0.2
    assert np.mean(draws) == pytest.approx(0.2, abs=0.051)


def test_chance_is_zero_for_a_shape_that_nobody_guesses() -> None:
    assert QUESTION.chance(truth_of((1, 7, 0)))["exact"] == 0


def test_the_oracle_is_exact() -> None:
    truth = truth_of(TORUS)
    finding = QUESTION.baselines()["oracle"](truth, poisson(False), np.random.default_rng(0))
    assert QUESTION.recovered(QUESTION.score(finding, truth))


def test_marginals_tell_that_states_vary_but_not_along_what() -> None:
    baseline, rng = QUESTION.baselines()["marginals_only"], np.random.default_rng(0)
    steady = [baseline(truth_of(RING), poisson(False), rng).estimate for _ in range(5)]
    moving = [baseline(truth_of(RING), poisson(True), rng).estimate for _ in range(200)]
    assert all(tuple(guess.values()) == CONTRACTIBLE for guess in steady)
    shapes = {tuple(guess.values()) for guess in moving}
    assert shapes == set(QUESTION.shapes) - {CONTRACTIBLE}


def test_traces_have_no_poisson_yardstick_and_count_as_varying() -> None:
    trace = recording(
        duration=1.0, n_units=2, n_trials=1, signal=np.ones((1, 4, 2)), modality="rate", sample_time=np.arange(4) / 4
    )
    guess = QUESTION.baselines()["marginals_only"](truth_of(RING), trace, np.random.default_rng(0))
    assert tuple(guess.estimate.values()) != CONTRACTIBLE
