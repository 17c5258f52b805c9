"""Latent factors: any affine map of the true ones is right, whatever is missing or too much is not."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from simlab import truths
from simlab.contracts import Finding, SimlabError
from simlab.data import recording
from simlab.questions.latents import Latents
from simlab.scoring import score

QUESTION = Latents()
TIME = np.arange(30) * 0.1
RNG = np.random.default_rng(0)
TRUE = RNG.standard_normal((20, 30, 2)) * [1.0, 3.0]


def scored(latent: np.ndarray, true: np.ndarray = TRUE, **more: object) -> dict:
    truth = truths.latents(true, TIME).assign(**more)
    return score(Finding({"latent": latent}), truth, "latents", brief=QUESTION.brief((), truth))


def test_any_invertible_affine_map_of_the_truth_is_a_recovery() -> None:
    found = scored(TRUE @ np.array([[1.0, 2.0], [0.5, -1.0]]) + 7.0)
    assert found["recovered"]
    assert found["r2"] == pytest.approx(1)
    assert found["n_factors_error"] == 0


def test_a_missing_factor_shows_in_the_truth_and_one_too_many_in_the_answer() -> None:
    fewer = scored(TRUE[:, :, :1])
    assert fewer["r2_of_answer"] == pytest.approx(1)
    assert fewer["r2_of_truth"] == pytest.approx(0.5, abs=0.02)  # of two whitened factors, whatever their variances
    more = scored(np.concatenate([TRUE, 1e-3 * RNG.standard_normal((20, 30, 2))], axis=2))
    assert more["r2_of_truth"] > 0.98
    assert more["r2_of_answer"] == pytest.approx(0.5, abs=0.03)
    assert not fewer["recovered"]
    assert not more["recovered"]


def test_the_map_is_fitted_on_other_trials_than_it_is_scored_on() -> None:
    overfitted = scored(RNG.standard_normal((20, 30, 200)))
    # 200 regressors of pure noise on 480 samples: in sample 200/480 = .42; out of it about -200/280 = -.7
    assert overfitted["r2_of_truth"] < -0.4


def test_a_single_trial_is_divided_in_time() -> None:
    walk = np.cumsum(RNG.standard_normal((1, 30, 1)), axis=1)
    assert scored(2 * walk, walk)["recovered"]


def test_where_units_share_nothing_any_factor_is_false_and_none_is_not() -> None:
    nothing = np.zeros((20, 30, 0))
    claimed, silent = scored(TRUE, nothing), scored(nothing, nothing)
    assert claimed["false_recovery"]
    assert not silent["false_recovery"]
    assert np.isnan(claimed["r2"])
    assert claimed["n_factors_error"] == 2


def test_factors_of_noise_are_a_false_recovery() -> None:
    assert scored(RNG.standard_normal((20, 30, 2)))["false_recovery"]
    assert not scored(TRUE[:, :, :1])["false_recovery"]
    assert scored(np.ones((20, 30, 1)))["r2_of_answer"] == 0


def test_conditions_are_scored_apart_and_a_map_is_carried_from_the_first_to_the_rest() -> None:
    condition = np.arange(20) % 2
    true = TRUE.copy()
    true[condition == 0, :, 1] *= 0.1
    summary = np.concatenate([true[:, :, :1], np.zeros((20, 30, 1))], axis=2)
    found = scored(summary, true, condition=("trial", condition))
    # Variances 1 and .09 in the first condition, 1 and 9 in the other
    assert found["r2_first"] == pytest.approx(1 / 1.09, abs=0.03)
    assert found["r2_new"] == pytest.approx(0.1, abs=0.03)
    assert found["r2_transferred"] == pytest.approx(0.1, abs=0.03)
    whole = scored(true, true, condition=("trial", condition))
    assert whole["r2_transferred"] == pytest.approx(1)
    assert np.isnan(scored(true)["r2_transferred"])


def test_the_brief_gives_the_times_and_an_answer_must_have_as_many() -> None:
    truth = truths.latents(TRUE, TIME)
    assert QUESTION.brief((), truth) == {"times": tuple(TIME.tolist())}
    with pytest.raises(SimlabError, match="30 along time"):
        scored(TRUE[:, :20])


def test_the_oracle_is_right_noise_is_not_and_the_units_levels_tell_nothing() -> None:
    truth = QUESTION.project(truths.latents(TRUE, TIME), xr.DataArray(np.eye(2), dims=("unit", "neuron")))
    none = np.zeros(0)
    seen = recording(duration=3.0, n_units=2, n_trials=20, spikes=(none, none, none))
    told = {name: QUESTION.score(f(truth, seen, RNG), truth) for name, f in QUESTION.baselines().items()}
    assert QUESTION.recovered(told["oracle"])
    assert told["random"]["r2"] == pytest.approx(QUESTION.chance(truth)["r2"], abs=0.05)
    assert told["marginals_only"]["r2"] < 0.01
