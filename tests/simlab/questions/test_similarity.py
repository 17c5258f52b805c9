"""Two populations: the share of what they encode that is an image of the other's, and verdicts."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from simlab import truths
from simlab.contracts import Finding, SimlabError
from simlab.questions.similarity import Similarity, shared_variance

QUESTION = Similarity()


def projected(readout, population, key=None) -> xr.Dataset:
    key = np.eye(len(readout)) if key is None else key
    told = truths.readouts(np.asarray(readout, dtype=float), np.asarray(population))
    return QUESTION.project(told, xr.DataArray(key, dims=("unit", "neuron")))


def test_the_share_is_what_regression_on_noise_free_responses_explains():
    rng = np.random.default_rng(0)
    one, other = rng.standard_normal((5, 6)), rng.standard_normal((4, 6))
    one[:, 3:], other[:, :1] = 0.0, 0.0  # features 1 and 2 in both, 0 in the one, 3 to 5 in the other
    stimuli = rng.standard_normal((100_000, 6))
    x, y = stimuli @ one.T, stimuli @ other.T
    explained = []
    for a, b in ((x, y), (y, x)):
        left = b - a @ np.linalg.lstsq(a, b, rcond=1e-9)[0]
        explained.append(1 - left.var(axis=0).sum() / b.var(axis=0).sum())
    assert shared_variance(one, other) == pytest.approx(np.mean(explained), abs=0.01)
    assert 0.2 < np.mean(explained) < 0.9


def test_mixtures_of_the_same_features_share_all_and_other_features_nothing():
    rng = np.random.default_rng(1)
    first = np.hstack([rng.standard_normal((6, 3)), np.zeros((6, 3))])
    same, apart = rng.standard_normal((7, 3)) @ np.eye(3, 6), rng.standard_normal((7, 3)) @ np.eye(3, 6, 3)
    assert shared_variance(first, same) == pytest.approx(1)
    assert shared_variance(first, apart) == pytest.approx(0)
    assert shared_variance(first, 0 * apart) == 0
    for other, shared in ((same, True), (apart, False)):
        truth = projected(np.vstack([first, other]), [0] * 6 + [1] * 7)
        assert bool(truth["shared"]) == shared


def test_what_a_unit_takes_from_the_other_population_is_not_its_code():
    readout, population = [[1, 0], [0, 1]], [0, 1]
    mixed = projected(readout, population, np.array([[0.8, 0.2], [0.3, 0.7]]))
    assert float(mixed["similarity"]) == pytest.approx(0)
    assert float(projected(readout, population, np.array([[1.0, 0.0]]))["similarity"]) == 0  # one was not recorded
    with pytest.raises(SimlabError, match=r"of two populations, 0 and 1, got \[0, 1, 2\]"):
        projected(np.eye(3), [0, 1, 2])


def test_verdicts_and_similarities_are_scored_apart():
    alike, apart = projected([[1, 0], [2, 0]], [0, 1]), projected([[1, 0], [0, 1]], [0, 1])
    claimed = Finding({"shared": True, "similarity": 0.4})
    assert QUESTION.score(claimed, alike) == pytest.approx(
        {"correct": 1, "stated_similarity": 0.4, "similarity_error": -0.6, "true_similarity": 1}
    )
    assert QUESTION.recovered(QUESTION.score(claimed, alike))
    assert not Similarity(tolerance=0.5).recovered(QUESTION.score(claimed, alike))
    assert QUESTION.false_recovery(claimed, apart)
    assert not QUESTION.false_recovery(claimed, alike)
    assert not QUESTION.false_recovery(Finding({"shared": False}), apart)
    assert np.isnan(QUESTION.score(Finding.abstain("one population"), alike)["correct"])
