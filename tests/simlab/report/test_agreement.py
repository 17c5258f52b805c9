"""The numbers in the drawings are those of the reference implementations, degenerate cases included."""

from __future__ import annotations

import numpy as np
import pytest

from simlab.report import agreement


@pytest.mark.parametrize("seed", range(5))
def test_the_adjusted_rand_index_is_scikit_learns(seed):
    from sklearn.metrics import adjusted_rand_score

    rng = np.random.default_rng(seed)
    truth, said = rng.integers(0, 4, 50), rng.integers(0, 3, 50)
    said[:25] = truth[:25]
    assert agreement.adjusted_rand(truth, said) == pytest.approx(adjusted_rand_score(truth, said))


@pytest.mark.parametrize("labels", [[1], [1, 1, 1], [1, 2, 3]])
def test_partitions_that_leave_nothing_to_disagree_on_agree(labels):
    assert agreement.adjusted_rand(labels, labels) == 1.0


def test_the_rank_correlation_is_scipys_ties_included():
    from scipy.stats import spearmanr

    rng = np.random.default_rng(0)
    truth = rng.integers(0, 6, 40).astype(float)
    said = truth + rng.integers(0, 4, 40)
    assert agreement.rank_correlation(truth, said) == pytest.approx(spearmanr(truth, said).statistic)
    assert np.isnan(agreement.rank_correlation(truth, np.ones(40)))
    assert np.isnan(agreement.rank_correlation(truth[:1], said[:1]))


def test_counts_have_true_labels_in_rows():
    table = agreement.counts(["a", "a", "b"], ["b", "b", "c"], ["a", "b"], ["a", "b", "c"])
    assert table.tolist() == [[0, 2, 0], [0, 0, 1]]


def test_a_factor_that_never_varies_has_no_variance_to_explain():
    truth = np.stack([np.full((2, 9), 3.0), np.arange(18.0).reshape(2, 9)], axis=-1)
    explained = agreement.variance_explained(truth, truth)
    assert np.isnan(explained[0])
    assert explained[1] == 1.0


def test_cosines_are_of_the_whole_filter():
    truth = np.zeros((3, 2, 2))
    truth[:, 0, 0] = 2.0
    said = np.zeros_like(truth)
    said[0, 0, 0], said[1, 1, 1] = 5.0, 5.0
    assert agreement.cosines(truth, said)[:2].tolist() == [1.0, 0.0]
    assert np.isnan(agreement.cosines(truth, said)[2])
