"""Intervals: known values, edge cases, and coverage in simulation."""

from __future__ import annotations

import numpy as np
import pytest

from simlab.contracts import SimlabError
from simlab.statistics.intervals import bootstrap, clustered_wilson, effective_number, mean_interval, wilson


@pytest.mark.parametrize(("successes", "n"), [(0, 20), (1, 20), (7, 20), (16, 20), (20, 20), (1, 1), (500, 1000)])
@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_wilson_agrees_with_statsmodels(successes: int, n: int, level: float) -> None:
    from statsmodels.stats.proportion import proportion_confint

    expected = proportion_confint(successes, n, alpha=1 - level, method="wilson")
    assert wilson(successes, n, level) == pytest.approx(expected, abs=1e-12)


def test_wilson_of_none_is_undefined() -> None:
    assert np.isnan(wilson(0, 0)).all()


def test_wilson_takes_arrays() -> None:
    low, high = wilson([0, 10, 0], [20, 20, 0])
    assert (low[1], high[1]) == wilson(10, 20)
    assert low[0] == 0
    assert np.isnan(low[2])
    assert np.isnan(high[2])


@pytest.mark.parametrize(("successes", "n"), [(3, 2), (-1, 2)])
def test_wilson_refuses_impossible_counts(successes: int, n: int) -> None:
    with pytest.raises(SimlabError, match=r"0\.\.n"):
        wilson(successes, n)


def test_a_level_outside_zero_to_one_is_refused() -> None:
    with pytest.raises(SimlabError, match="level"):
        wilson(1, 2, 95)
    with pytest.raises(SimlabError, match="level"):
        bootstrap([1.0, 2.0], level=0)


def test_the_bootstrap_interval_of_a_mean_covers_it() -> None:
    rng = np.random.default_rng(0)
    runs = [bootstrap(rng.normal(size=30), rng=rng, n=500) for _ in range(400)]
    covered = np.mean([low <= 0 <= high for low, high in runs])
    # of 30 values the bootstrap's spread is sqrt(29/30) too small and normal, not t: P(|t29| < 1.96 x .983) = .936;
    # standard error over 400 runs .0122, band of three
    assert covered == pytest.approx(0.936, abs=0.037)


def test_the_bootstrap_is_the_same_each_time_and_leaves_out_nan() -> None:
    values = np.random.default_rng(0).normal(size=20)
    assert bootstrap(values) == bootstrap(values)
    assert bootstrap(np.append(values, np.nan)) == bootstrap(values)


def test_the_bootstrap_takes_other_statistics() -> None:
    values = np.random.default_rng(0).exponential(size=200)
    low, high = bootstrap(values, np.median, n=500)
    assert low < np.median(values) < high < values.mean() * 1.2


@pytest.mark.parametrize("values", [[], [1.0], [np.nan, 1.0], [0.5, 0.5], [0.4, 0.6]])
def test_the_bootstrap_of_fewer_than_three_is_undefined(values: list[float]) -> None:
    assert np.isnan(bootstrap(values)).all()


def test_the_bootstrap_of_equal_values_is_that_value() -> None:
    assert bootstrap([0.3] * 5) == pytest.approx((0.3, 0.3))


def test_a_mean_of_zeros_and_ones_is_a_rate_and_its_interval_has_a_width() -> None:
    assert mean_interval(np.ones(5), np.arange(5)) == wilson(5, 5)
    assert mean_interval(np.ones(2), np.arange(2)) == wilson(2, 2)


def test_the_interval_of_a_mean_counts_subjects_not_cells() -> None:
    values = np.random.default_rng(0).normal(size=10)
    repeated = mean_interval(np.repeat(values, 6), np.repeat(np.arange(10), 6))
    assert repeated == pytest.approx(bootstrap(values), abs=0.01)  # rounding moves the resamples' ties
    assert np.isnan(mean_interval(np.array([0.1, 0.2, 0.3, 0.4]), ["a", "a", "b", "b"])).all()


def test_the_bootstrap_survives_degenerate_data() -> None:
    low, high = bootstrap([0.0] * 19 + [1.0])
    assert 0 <= low <= 0.05 <= high <= 1


def test_one_cell_per_subject_counts_cells() -> None:
    outcomes = np.array([1.0, 0, 0, 1, 1])
    assert effective_number(outcomes, list("abcde")) == 5
    assert clustered_wilson(outcomes, list("abcde")) == wilson(3, 5)


def test_cells_that_repeat_their_subject_count_once() -> None:
    subjects = np.repeat(np.arange(20), 8)
    outcomes = np.repeat((np.arange(20) < 8).astype(float), 8)
    # the between-subject variance has 19 degrees of freedom of 20, hence 19 effective outcomes, floored at 20 subjects
    assert effective_number(outcomes, subjects) == 20


def test_agreement_tells_nothing_of_clusters_and_counts_subjects() -> None:
    assert effective_number(np.ones(160), np.repeat(np.arange(20), 8)) == 20
    assert effective_number(np.array([1.0, 0, 1]), ["only one"] * 3) == 1
    assert effective_number(np.array([]), []) == 0
    assert np.isnan(clustered_wilson(np.array([]), [])).all()


def test_intervals_of_clustered_cells_cover_where_plain_ones_do_not() -> None:
    rng, subjects = np.random.default_rng(0), np.repeat(np.arange(20), 8)
    covered = np.zeros((600, 2))
    for run in covered:
        rate = rng.beta(1, 1, 20)  # subjects differ as much as can be without all or none
        outcomes = (rng.random(160) < rate[subjects]).astype(float)
        for i, (low, high) in enumerate((clustered_wilson(outcomes, subjects), wilson(outcomes.sum(), 160))):
            run[i] = low <= 0.5 <= high
    clustered, plain = covered.mean(axis=0)
    # nominal .95, and .93 with 20 subjects' estimate of the design effect (t19 for z); standard error .010.
    # Design effect 1 + 7/3, so that plain intervals cover P(|z| < 1.96/sqrt(3.33)) = .72
    assert clustered == pytest.approx(0.935, abs=0.03)
    assert plain == pytest.approx(0.72, abs=0.06)
