"""Choosing among dictionaries: what each measure is, by hand, and which it prefers where features are known."""

from __future__ import annotations

import numpy as np
import pytest

from methods.coding.selected_dictionary import (
    SelectedDictionary,
    agreement,
    codes,
    consistency,
    description_length,
)
from methods.coding.sparse_autoencoder import Weights
from simlab.contracts import SimlabError
from simlab.data import recording
from simlab.streams import stream

N, UNITS, FEATURES = 6000, 8, 12


@pytest.fixture(scope="module")
def world():
    """(samples, codes, dictionary): twelve sparse features in eight units."""
    rng = np.random.default_rng(4)
    dictionary = rng.standard_normal((FEATURES, UNITS))
    dictionary /= np.linalg.norm(dictionary, axis=1, keepdims=True)
    code = (rng.random((N, FEATURES)) < 0.05) * rng.uniform(0.5, 1.5, (N, FEATURES))
    return code @ dictionary, code, dictionary


def test_bits_by_hand():
    x = np.zeros((4, 2))
    code = np.array([[2.0], [0.0], [2.0], [0.0]])
    dictionary = np.array([[1.0, 0.0]])
    # one bit for whether it is active, half of the time log2(e 2 / 1) for how strong; half log2(4) / 4 for each weight
    residual = (x - code @ dictionary).var(axis=0)
    left = 0.5 * np.log2(1 + 2 * np.pi * np.e * residual[0])
    expected = 1 + 0.5 * np.log2(2 * np.e) + left + 2 * 0.5 * 2 / 4
    assert description_length(x, code, dictionary, 1.0) == pytest.approx(expected)


def test_the_true_dictionary_takes_fewer_bits_than_units_and_these_than_no_code(world):
    x, code, dictionary = world
    true = description_length(x, code, dictionary, 0.05)
    axes = np.vstack([np.eye(UNITS), -np.eye(UNITS)])
    by_units = description_length(x, np.maximum(x @ axes.T, 0), axes, 0.05)
    nothing = description_length(x, np.zeros((N, 1)), np.ones((1, UNITS)), 0.05)
    assert true < by_units < nothing
    assert description_length(x, code, dictionary, 0.5) < true  # whoever wants less precision writes less


def test_agreement_and_consistency_know_what_is_alike(world):
    x, code, dictionary = world
    assert agreement(dictionary, dictionary[::-1]) == pytest.approx(1)
    other = np.linalg.qr(np.random.default_rng(1).standard_normal((UNITS, UNITS)))[0]
    assert agreement(dictionary, other) < 0.9
    noise = np.random.default_rng(2).random(code.shape)
    assert consistency(x, code) > consistency(x, noise) + 0.3
    assert consistency(x, noise) == pytest.approx(0, abs=0.1)


def test_codes_are_rectified():
    weights = Weights(np.array([[1.0, -1.0]]), np.array([0.5, 0.0]), np.ones((2, 1)))
    assert codes(np.array([[2.0], [-1.0]]), weights).tolist() == [[2.5, 0.0], [0.0, 1.0]]


def test_the_least_error_takes_the_least_penalty_and_fewest_bits_do_not(world):
    x = world[0].reshape(20, -1, UNITS)
    told = recording(
        duration=15.0, n_units=UNITS, n_trials=20, signal=x, modality="rate", sample_time=np.arange(x.shape[1]) * 0.05
    )
    chosen = {}
    for by in ("reconstruction", "description_length", "agreement", "consistency"):
        method = SelectedDictionary(by, penalties=(0.003, 0.1), n_features=16, steps=600)
        found = method.analyse(told, stream(1, by))
        chosen[by] = found.notes["penalty"]
        assert {"at 0.003", "at 0.1"} <= set(found.notes)
        assert found.estimate["dictionary"].shape[1] == UNITS
        assert found.notes[f"at {chosen[by]:g}"] == max(found.notes["at 0.003"], found.notes["at 0.1"])
    assert chosen["reconstruction"] == 0.003
    assert chosen["description_length"] == 0.1


def test_penalties_are_checked():
    for wrong in ((0.1,), (0.1, 0.1), (-1.0, 0.1)):
        with pytest.raises(SimlabError, match="penalties"):
            SelectedDictionary(penalties=wrong)
