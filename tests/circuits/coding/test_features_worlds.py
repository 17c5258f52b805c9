"""Sparse features in superposition, one neuron each, or none; what their moments are, and who finds them."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import simlab
from circuits.coding.dense_code import DenseCode
from circuits.coding.superposition import Superposition
from methods.coding._dictionaries import kurtosis_z, samples
from methods.coding.decomposed_features import DECOMPOSITIONS, DecomposedFeatures
from methods.coding.sparse_autoencoder import SparseAutoencoder, Weights, gradient, loss
from simlab import truths
from simlab.contracts import Finding, SimlabError
from simlab.instruments.recording.perfect import Perfect
from simlab.questions.features import Features
from simlab.streams import stream

QUESTION = Features()
FEATURES = Superposition(n_neurons=10, n_features=16, active=1.0, decay=0.95, gain=0.8)


def recorded(circuit, trials=5) -> tuple[xr.Dataset, xr.Dataset, xr.Dataset]:
    """Activity, recording and projected truth of five minutes."""
    subject = circuit.subject(stream(1, "subject"))
    session = subject.session(trials=trials, duration=60.0, rng=stream(1, "session"))
    activity = subject.run(session, stream(1, "run"))
    implant = Perfect().implant(subject.anatomy, stream(1, "implant"))
    told = QUESTION.project(subject.truth("features", activity, stream(1, "truth")), implant.key)
    return activity, implant.record(activity, stream(1, "record")), told


@pytest.fixture(scope="module")
def worlds():
    return {"features": recorded(FEATURES), "dense": recorded(DenseCode(like=FEATURES))}


@pytest.mark.parametrize("name", ["superposition", "dense_code", "features"])
def test_they_keep_the_contract(name):
    assert simlab.check(name).ok


def test_rates_have_the_mean_and_covariance_of_the_equations_with_features_and_without(worlds):
    individual = FEATURES.subject(stream(1, "subject")).parts["features"]
    p = FEATURES.probabilities()
    assert p.sum() == pytest.approx(1.0)
    mean = 20 * (1 + 0.8 * p @ individual / 2)
    covariance = (20 * 0.8) ** 2 * ((individual.T * (p / 3 - p**2 / 4)) @ individual + 0.02**2 * np.eye(10))
    for activity, *_ in worlds.values():
        flat = activity["rate"].values.reshape(-1, 10)
        assert flat.mean(axis=0) == pytest.approx(mean, abs=0.3)
        assert np.abs(np.cov(flat.T) - covariance).max() < 0.12 * covariance.max()


@pytest.mark.parametrize("together", ["correlated", "hierarchical"])
@pytest.mark.parametrize("frequencies", ["geometric", "zipfian"])
def test_features_in_company_have_the_frequencies_and_covariance_of_the_equations(together, frequencies):
    circuit = Superposition(8, 24, active=2.0, together=together, frequencies=frequencies)
    parts = circuit.subject(stream(1, "subject")).parts
    session = circuit.subject(stream(1, "subject")).session(trials=20, duration=60.0, rng=stream(1, "session"))
    strength = circuit.course(parts, session, stream(1, "run")).latent.reshape(-1, 24)  # 24,000 samples
    error = np.sqrt(circuit.probabilities() / len(strength))
    assert (np.abs((strength > 0).mean(axis=0) - circuit.probabilities()) < 5 * error).all()
    expected, away = circuit.covariance(parts), ~np.eye(24, dtype=bool)
    assert np.abs(np.cov(strength.T) - expected).max() < 0.003
    assert np.abs(expected[away]).max() > 0.003
    if together == "hierarchical":  # three roots; twelve children, and nine of theirs
        there = strength > 0
        assert not (there[:, 3] & ~there[:, 0]).any()
        assert not (there[:, 3] & there[:, 4]).any()
        assert not (there[:, 15] & ~there[:, 3]).any()


def test_only_features_leave_axes_that_stand_out(worlds):
    kinds = {
        name: kurtosis_z(samples(recording, 0.05), truth["dictionary"].values)
        for name, (_, recording, truth) in worlds.items()
        if truth.sizes["feature"]
    }
    assert kinds["features"] > 50
    x = samples(worlds["dense"][1], 0.05)
    assert abs(kurtosis_z(x, worlds["features"][2]["dictionary"].values)) < 4


def test_the_autoencoder_finds_them_and_decompositions_less_so(worlds):
    found = {}
    for method in (SparseAutoencoder(steps=2500, n_features=32), *(DecomposedFeatures(by) for by in ("pca", "ica"))):
        found[getattr(method, "by", "autoencoder")] = QUESTION.score(
            method.analyse(worlds["features"][1], stream(1, "m")), worlds["features"][2]
        )["mean_max_cosine"]
    assert found["autoencoder"] > 0.9
    assert found["pca"] < found["ica"] < found["autoencoder"]


@pytest.mark.parametrize("by", sorted(set(DECOMPOSITIONS) - {"ica"}))
def test_decompositions_state_directions_of_features_and_abstain_where_none_stands_out(by, worlds):
    told = DecomposedFeatures(by).analyse(worlds["features"][1], stream(1, by)).estimate["dictionary"]
    assert told.shape[1] == 10
    assert np.linalg.norm(told, axis=1) == pytest.approx(np.ones(len(told)))
    if by == "dictionary_learning":  # slow, and asked in the same place
        return
    dense = worlds["dense"][1]
    assert "Gaussian" in DecomposedFeatures(by).analyse(dense, stream(1, by)).abstained
    assert not DecomposedFeatures(by, least_z=0.0).analyse(dense, stream(1, by)).abstained


def test_slopes_are_those_of_the_loss():
    rng = np.random.default_rng(0)
    weights = Weights(rng.standard_normal((5, 7)), 0.1 * rng.standard_normal(7), rng.standard_normal((7, 5)))
    x = rng.standard_normal((20, 5))
    for part, slope in enumerate(gradient(weights, x, 0.3)):
        for at in [(0,) * slope.ndim, (-1,) * slope.ndim]:
            moved = []
            for step in (1e-5, -1e-5):
                shifted = [w.copy() for w in weights]
                shifted[part][at] += step
                moved.append(loss(Weights(*shifted), x, 0.3))
            assert slope[at] == pytest.approx((moved[0] - moved[1]) / 2e-5, rel=1e-4)


def test_scores_are_of_directions_with_their_signs():
    told = truths.dictionary(np.eye(4)[:3])
    truth = QUESTION.project(told, xr.DataArray(np.eye(4)[:3], dims=("unit", "neuron")))
    given = Finding({"dictionary": np.array([[2.0, 0, 0], [0, -1, 0], [0, 0.6, 0.8], [0, 0, 0]])})
    scores = QUESTION.score(given, truth)
    assert scores["mean_max_cosine"] == pytest.approx((1 + 0.6 + 0.8) / 3)
    assert (scores["found"], scores["precision"], scores["n_stated"]) == pytest.approx((1 / 3, 1 / 3, 3))
    nothing = QUESTION.project(truths.dictionary(np.empty((0, 4))), xr.DataArray(np.eye(4), dims=("unit", "neuron")))
    claimed = Finding({"dictionary": np.eye(4)})
    assert QUESTION.false_recovery(claimed, nothing)
    assert not QUESTION.false_recovery(Finding.abstain("nothing stands out"), nothing)
    assert not QUESTION.false_recovery(given, truth)
    with pytest.raises(SimlabError, match="the key's 3 neurons must be the truth's, who are 4"):
        QUESTION.project(told, xr.DataArray(np.eye(3), dims=("unit", "neuron")))


def test_impossible_features_are_refused_and_too_little_is_an_abstention():
    with pytest.raises(SimlabError, match="no feature can be active more often than always, got active=40"):
        Superposition(active=40.0)
    with pytest.raises(SimlabError, match="as many features as neurons, got 64 and 32"):
        Superposition(basis="neurons")
    short = recorded(FEATURES, 1)[1].isel(sample=slice(0, 50))
    for method in (SparseAutoencoder(), DecomposedFeatures()):
        assert "too few" in method.analyse(short, stream(1, "m")).abstained
