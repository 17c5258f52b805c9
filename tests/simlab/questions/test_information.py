"""Information of what is recorded, from derivatives and covariances of neurons; and how answers are scored."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from simlab import truths
from simlab.contracts import Finding, SimlabError
from simlab.data import recording
from simlab.questions.information import Information

QUESTION = Information()
SLOPE, LEVEL = np.array([2.0, -1.0, 3.0]), np.array([4.0, 2.0, 8.0])
COVARIANCE = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, 0.0], [0.5, 0.0, 9.0]])


def key(shares) -> xr.DataArray:
    return xr.DataArray(np.array(shares, dtype=float), dims=("unit", "neuron"))


def told(slope=SLOPE, covariance=COVARIANCE, saturates=True) -> xr.Dataset:
    truth = truths.per_neuron(derivative=slope, level=LEVEL)
    truth["covariance"] = (("neuron", "other"), covariance)
    truth = truth.assign(step=0.5, feature="orientation")
    return truth if saturates is None else truth.assign(saturates=saturates)


def projected(shares=None, **changes) -> xr.Dataset:
    truth = told(**changes)
    return QUESTION.project(truth, key(np.eye(3) if shares is None else shares)).assign_attrs(
        brief=QUESTION.brief((), truth)
    )


def held(shares) -> float:
    return float(projected(shares)["information"])


def test_information_of_all_neurons_and_of_some():
    assert held(np.eye(3)) == pytest.approx(SLOPE @ np.linalg.inv(COVARIANCE) @ SLOPE)
    assert held(np.eye(3)[[2, 0]]) == pytest.approx(
        SLOPE[[2, 0]] @ np.linalg.inv(COVARIANCE[np.ix_([2, 0], [2, 0])]) @ SLOPE[[2, 0]]
    )


def test_a_merged_unit_holds_what_the_sum_of_its_neurons_counts_holds():
    merged = [2 / 3, 1 / 3, 0]  # of the unit's spikes at levels 4 and 2: all spikes of both
    ones = np.array([1.0, 1.0, 0.0])
    assert held([merged]) == pytest.approx((ones @ SLOPE) ** 2 / (ones @ COVARIANCE @ ones))
    noisy = np.array(merged) / 2  # as many spurious spikes as spikes: 6 a trial, Poisson
    assert held([noisy]) == pytest.approx((ones @ SLOPE) ** 2 / (ones @ COVARIANCE @ ones + 6))


def test_copies_add_nothing_and_what_hears_nobody_holds_nothing():
    assert held([[1, 0, 0], [1, 0, 0], [0, 1, 0]]) == pytest.approx(held([[1, 0, 0], [0, 1, 0]]))
    assert held([[0, 0, 0]]) == 0.0
    with pytest.raises(SimlabError, match="no negative eigenvalue"):
        projected(covariance=np.array([[1.0, 2.0, 0.0], [2.0, 1.0, 0.0], [0.0, 0.0, 1.0]]))


def test_saturation_is_that_of_the_population_whatever_is_recorded():
    assert bool(projected([[1, 0, 0]])["saturates"])
    assert not bool(projected([[1, 0, 0]], saturates=False)["saturates"])
    assert projected().attrs["brief"] == {"feature": "orientation"}


def test_an_answer_is_scored_by_its_relative_error_and_its_verdict():
    truth, true = projected(), held(np.eye(3))
    scored = QUESTION.score(
        Finding({"information": 1.1 * true, "low": 0.9 * true, "high": 1.4 * true, "saturates": True}), truth
    )
    assert scored["relative_error"] == pytest.approx(0.1)
    assert scored["interval_width"] == pytest.approx(0.5)
    assert (scored["within"], scored["covered"], scored["verdict"]) == (1.0, 1.0, 1.0)
    assert QUESTION.recovered(scored)
    wrong = QUESTION.score(Finding({"information": true, "saturates": False}), truth)
    assert (wrong["within"], wrong["verdict"]) == (1.0, 0.0)
    assert not QUESTION.recovered(wrong)
    assert np.isnan(QUESTION.score(Finding({"information": true}), truth)["verdict"])
    assert np.isnan(QUESTION.score(Finding.abstain("few trials"), truth)["within"])


def test_a_false_claim_overstates_beyond_its_interval_or_sees_a_limit_where_there_is_none():
    truth, true = projected(saturates=False), held(np.eye(3))
    assert QUESTION.false_recovery(Finding({"information": 1.3 * true}), truth)
    assert not QUESTION.false_recovery(Finding({"information": 1.3 * true, "low": 0.9 * true, "high": 2 * true}), truth)
    assert not QUESTION.false_recovery(Finding({"information": 0.3 * true}), truth)
    assert QUESTION.false_recovery(Finding({"information": true, "saturates": True}), truth)
    assert not QUESTION.false_recovery(Finding.abstain("few trials"), truth)


def test_of_nothing_errors_are_in_units_of_what_nobody_cares_for():
    nothing = projected(slope=np.zeros(3), saturates=None)
    scored = QUESTION.score(Finding({"information": 0.8}), nothing)  # d'^2 = .8 * .25 = .2, twice `least`
    assert scored["relative_error"] == pytest.approx(2.0)
    assert np.isnan(scored["verdict"])
    assert QUESTION.recovered(QUESTION.score(Finding({"information": 0.0}), nothing))


@pytest.mark.parametrize("changes", [{}, {"slope": np.zeros(3), "saturates": None}, {"slope": 30 * SLOPE}])
def test_chance_is_what_the_random_baseline_gets(changes):
    truth, rng = projected(**changes), np.random.default_rng(0)
    guesses = [QUESTION.score(QUESTION.baselines()["random"](truth, None, rng), truth) for _ in range(200)]
    for name, expected in QUESTION.chance(truth).items():
        drawn = np.array([guess[name] for guess in guesses])
        if np.isnan(expected):
            assert np.isnan(drawn).all()
        else:
            assert drawn.mean() == pytest.approx(expected, abs=4 * drawn.std() / np.sqrt(200) + 1e-12)


def test_marginals_give_what_independent_units_would_tell():
    """Two units with d' = 1 and 2 at a step of .5, correlated: together (1 + 4) / .25 if they were independent."""
    rng, side = np.random.default_rng(0), np.arange(4000) % 2
    noise = rng.standard_normal((4000, 1)) + 0.1 * rng.standard_normal((4000, 2))
    signal = (noise / np.sqrt(1.01) + side[:, None] * [1.0, 2.0])[:, None]
    seen = recording(
        duration=1.0, n_units=2, n_trials=4000, signal=signal, modality="rate", signal_units="Hz",
        sample_time=np.array([0.5]), time=np.zeros(1), stimulus=0.5 * side[:, None, None],
    ).assign_coords(feature=["orientation"])  # fmt: skip
    found = QUESTION.baselines()["marginals_only"](projected(), seen, rng)
    assert found.estimate["information"] == pytest.approx(20, rel=0.1)
    oracle = QUESTION.baselines()["oracle"](projected(), seen, rng)
    assert QUESTION.recovered(QUESTION.score(oracle, projected()))
