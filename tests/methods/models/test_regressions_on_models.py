"""The regressions, alignments and criteria that models are chosen by, against independent routes and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from planted_models import beside, seeing
from sklearn.cross_decomposition import PLSRegression
from sklearn.linear_model import Ridge

from methods.models import model_predictivity as predicting
from methods.models._candidates import correlations, folds, ranking, varying
from methods.models._summaries import summaries, tuning
from methods.models.approximate_bayes import probabilities
from methods.models.dynamical_match import as_noisy, complete
from methods.models.effective_dimensionality import participation
from methods.models.feature_consistency import Path, followed
from methods.models.information_criterion import InformationCriterion, unexplained
from methods.models.model_cka import dependence
from methods.models.model_predictivity import ModelPredictivity, Moments, by_folds, ceilings
from methods.models.model_shape_distance import turned
from methods.similarity.cka import centred


@pytest.fixture(scope="module")
def tables() -> tuple[np.ndarray, np.ndarray]:
    """Features (90, 12) and units (90, 4), one of which is noise."""
    rng = np.random.default_rng(1)
    x = varying(rng.standard_normal((90, 12)) @ rng.standard_normal((12, 12)))
    y = 3 + x @ rng.standard_normal((12, 4)) + rng.standard_normal((90, 4))
    y[:, 3] = rng.standard_normal(90)
    return x, y


def test_ridge_from_sums_is_that_of_a_library(tables):
    x, y = tables
    weights, start = Moments.together([Moments.of(x[:30], y[:30]), Moments.of(x[30:], y[30:])]).weights(0.7)
    reference = Ridge(alpha=0.7 * np.sqrt(90)).fit(x, y)
    assert weights == pytest.approx(reference.coef_.T)
    assert start == pytest.approx(reference.intercept_)


def test_partial_least_squares_is_that_of_a_library_and_in_the_end_least_squares(tables):
    x, y = tables
    for columns, components in ((slice(0, 4), 3), (slice(0, 1), 5)):
        own, start = Moments.of(x, y[:, columns]).on_components(components)
        library = PLSRegression(components, scale=False, max_iter=5000, tol=1e-14).fit(x, y[:, columns])
        assert own == pytest.approx(library.coef_.T, abs=1e-5)
        assert x @ own + start == pytest.approx(library.predict(x).reshape(90, -1), abs=1e-4)
    whole = Moments.of(x, y).on_components(50)[0]
    assert whole == pytest.approx(np.linalg.lstsq(x, y - y.mean(axis=0), rcond=None)[0], abs=1e-6)
    assert not predicting.pls(np.eye(3), np.zeros((3, 2)), 2).any()


def test_each_fold_is_foretold_from_the_others_alone(tables):
    x, y = tables
    fold = folds(np.repeat(np.arange(6), 15), 3)
    said = by_folds(x, y, fold)
    changed = y.copy()
    changed[fold == 1] = 1e3  # whatever was recorded there
    assert by_folds(x, changed, fold)[fold == 1] == pytest.approx(said[fold == 1])
    r = correlations(said, y)
    assert r[:3].min() > 0.8
    assert abs(r[3]) < 0.35
    # the penalty is one of those on offer, and the best in the fold after
    rest, after = fold == 2, fold == 1
    errors = [
        np.square(Ridge(alpha=p * np.sqrt(rest.sum())).fit(x[rest], y[rest]).predict(x[after]) - y[after]).sum()
        for p in predicting.PENALTIES
    ]
    best = predicting._best(Moments.of(x[rest], y[rest]), x[after], y[after])
    assert best == predicting.PENALTIES[int(np.argmin(errors))]


def test_a_perfect_model_reaches_the_ceiling_and_noise_has_none():
    rng = np.random.default_rng(2)
    signal = rng.standard_normal((300, 3)) * [2.0, 1.0, 0.0]
    shown = np.tile(np.arange(300), 4)
    units = signal[shown] + rng.standard_normal((1200, 3))
    most = ceilings(units, shown)
    assert most == pytest.approx(np.sqrt([4 / 5, 1 / 2, 0]), abs=0.1)  # signal over signal and noise
    assert correlations(signal[shown], units)[:2] == pytest.approx(most[:2], abs=0.05)
    assert ceilings(units, np.arange(1200)) is None


def test_scores_over_the_ceiling_are_near_one_for_the_right_model_and_ask_for_repeats():
    told = seeing("half_squares", trials=40, repeats=4, bins=40, n_model=60, features=3, rate=40.0)
    names = told.attrs["brief"]["candidates"]
    plain, over = (
        dict(zip(names, ModelPredictivity(ceiling=c).analyse(told, None).estimate["score"], strict=True))
        for c in (False, True)
    )
    assert plain["half_squares"] < over["half_squares"]
    assert over["half_squares"] == pytest.approx(1.0, abs=0.08)
    assert over["energies"] < over["half_squares"]
    once = seeing("half_squares")
    assert "shown twice" in ModelPredictivity(ceiling=True).analyse(once, None).abstained
    rng = np.random.default_rng(0)
    model = told["model_response"].values[:, :, told["model"].values == 1]
    noise = beside({"a": model}, counts=rng.poisson(1.0, (40, 40, 3)), stimulus=told["stimulus"].values)
    found = ModelPredictivity(ceiling=True).analyse(noise, None)
    assert found.abstained or np.isfinite(found.estimate["score"]).all()


def test_alignment_from_features_is_that_of_kernels(tables):
    x, y = tables
    x, y = varying(x), varying(y)
    for debiased in (False, True):
        kernels = [centred(part.copy(), debiased) for part in (x, y)]
        by_kernels = [float((a * b).sum()) for a, b in (kernels, kernels[:1] * 2, kernels[1:] * 2)]
        by_features = [dependence(a, b, debiased) for a, b in ((x, y), (x, x), (y, y))]
        alike = (values[0] / np.sqrt(values[1] * values[2]) for values in (by_kernels, by_features))
        assert next(alike) == pytest.approx(next(alike))


def test_debiased_alignment_of_noise_is_none_and_biased_is_some():
    rng = np.random.default_rng(0)
    x, y = (varying(rng.standard_normal((60, 90))) for _ in range(2))
    both = [dependence(x, y, d) / np.sqrt(dependence(x, x, d) * dependence(y, y, d)) for d in (True, False)]
    assert both[0] == pytest.approx(0, abs=0.05)
    assert both[1] == pytest.approx(90 / (90 + 60), abs=0.05)  # p / (p + n)


def test_a_turned_copy_has_the_same_shape_and_held_out_noise_has_none(tables):
    x, _ = tables
    turn = np.linalg.qr(np.random.default_rng(3).standard_normal((12, 12)))[0]
    fold = np.arange(90) % 5
    assert turned(x, 3 * x @ turn, fold, apart=True) == pytest.approx(1)
    noise = np.random.default_rng(4).standard_normal((90, 40))
    assert turned(x, noise, fold, apart=False) > 0.3
    assert abs(turned(x, noise, fold, apart=True)) < 0.15
    assert turned(np.zeros((90, 2)), x, fold, apart=True) == 0


def test_dimension_and_explained_variance_by_hand(tables):
    x, y = tables
    orthogonal = np.linalg.qr(np.random.default_rng(5).standard_normal((90, 3)) - 0.0)[0]
    orthogonal = varying(orthogonal)
    size = (
        np.linalg.svd(orthogonal * [2.0, 1.0, 1.0] - (orthogonal * [2.0, 1.0, 1.0]).mean(axis=0), compute_uv=False) ** 2
    )
    assert participation(orthogonal * [2.0, 1.0, 1.0]) == pytest.approx(size.sum() ** 2 / (size**2).sum())
    assert participation(np.tile(x[:3], (30, 1)).repeat(40, axis=1)) <= 3  # more features than samples
    units = y - y.mean(axis=0)
    left = unexplained(x, units, 12)
    whole = np.linalg.lstsq(x, units, rcond=None)[1] / np.square(units).sum(axis=0)
    assert left[0] == pytest.approx(1)
    assert left[-1] == pytest.approx(whole)
    assert (np.diff(left, axis=0) <= 1e-12).all()


def test_a_penalty_prefers_few_components_of_noise_and_bic_is_dearer_than_aic():
    told = seeing("half_squares", trials=20)
    scores = [InformationCriterion(kind).analyse(told, None).estimate["score"] for kind in ("bic", "aic")]
    assert (scores[0][1:] <= scores[1][1:]).all()
    rng = np.random.default_rng(0)
    noise = beside({"a": rng.standard_normal((20, 60, 40))}, signal=rng.standard_normal((20, 60, 5)), blind=False)
    assert InformationCriterion().analyse(noise, None).estimate["score"][0] == pytest.approx(0, abs=1e-3)


def test_halves_agree_on_what_is_true_and_not_on_noise(tables):
    x, y = tables
    found = seeing("half_squares", trials=4)
    half = np.arange(90) % 2 == 0
    held = type("Held", (), {"units": y[:, :3]})()
    true: Path = followed(x, held, half)
    assert true.agreement[-3] > 0.9
    assert true.foretold.max() > 0.8
    held.units = np.random.default_rng(6).standard_normal((90, 3))
    assert followed(x, held, half).agreement[-1] < 0.6
    assert not followed(np.ones((90, 2)), held, half).foretold.any()
    assert found.sizes["unit"] == 12


def test_odds_of_simulated_draws_are_those_of_gaussians():
    rng = np.random.default_rng(7)
    draws = {0: rng.normal(-1.0, 1.0, (4000, 1)), 2: rng.normal(1.0, 1.0, (4000, 1))}
    odds = probabilities(draws, np.array([0.5]), 1.0)
    assert odds[2] == pytest.approx(1 / (1 + np.exp(-2 * 0.5)), abs=0.06)  # log odds 2 x of means +-1
    assert sum(odds.values()) == pytest.approx(1)
    far = probabilities({0: draws[0] - 30, 1: draws[0] + 30}, np.array([30.0]), 0.5)
    assert far[1] > 0.99
    assert far[0] > 0
    constant = probabilities({0: np.ones((9, 2)), 1: np.ones((9, 2))}, np.ones(2), 0.5)
    assert constant[0] == pytest.approx(0.5, abs=0.01)


def test_summaries_say_what_they_are_of():
    rng = np.random.default_rng(8)
    shown = rng.standard_normal((2000, 3))
    linear, squared = 1 + 0.3 * shown[:, :1], shown[:, :1] ** 2
    quadratic_of = [tuning(part + 0.1 * rng.standard_normal((2000, 1)), shown) for part in (linear, squared)]
    assert quadratic_of[0][0] > 0.9
    assert abs(quadratic_of[1][0]) < 0.2
    assert quadratic_of[1][1] > 0.9
    counts, trial = rng.poisson(2.0, (2000, 6)).astype(float), np.repeat(np.arange(4), 500)
    told = summaries(counts, trial, None)
    assert len(told) == 11
    assert told[0] == pytest.approx(np.log(2.0), abs=0.05)
    assert told[[2, 4, 6, 8]] == pytest.approx(0, abs=0.1)  # Poisson, white, uncorrelated
    assert told[-1] > 0.9
    assert np.isfinite(summaries(np.zeros((60, 3)), np.zeros(60), np.zeros((60, 2)))).all()


def test_a_model_is_made_as_noisy_and_only_whole_trials_are_embedded():
    rng = np.random.default_rng(9)
    like = as_noisy(np.full((10, 100, 3), 7.0), np.full((4, 100, 5), 2.5), rng)
    assert like.mean() == pytest.approx(2.5, rel=0.05)
    assert like.var() == pytest.approx(2.5, rel=0.1)
    assert not as_noisy(np.zeros((2, 5, 1)), np.ones((2, 5, 1)), rng).any()
    found = type("Held", (), {"trial": np.array([0, 0, 1]), "bin": np.array([0, 1, 0])})()
    assert complete(found).tolist() == [True, True, False]


def test_a_ranking_puts_the_unknown_last_and_needs_one_that_is_known():
    found = ranking([None, 0.3, float("nan"), 0.5], [False, True, False, True], 0.9)
    assert found.estimate["score"].tolist() == [-0.7, 0.3, -0.7, 0.5]
    assert found.estimate["fits"].tolist() == [False, True, False, True]
    assert (found.confidence, found.notes["unscored"]) == (0.9, 2)
    assert "could be scored" in ranking([None, None]).abstained
