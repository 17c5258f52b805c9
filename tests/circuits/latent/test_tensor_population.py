"""Rates that are a tensor of low rank: what its factors are, and which decomposition finds them."""

from __future__ import annotations

import latent_worlds as worlds
import numpy as np
import pytest

import simlab
from circuits.latent.tensor_population import TensorPopulation
from methods.latents.tensor_components import TensorComponents
from simlab.activity_statistics import fano_factors
from simlab.contracts import SimlabError
from simlab.data import mean_rates
from simlab.streams import stream

QUIET = TensorPopulation(n_neurons=20, model="rate")


def test_it_keeps_the_contract():
    assert simlab.check("tensor_population").ok


def test_rates_are_a_tensor_of_as_many_factors_above_their_floor():
    subject = QUIET.subject(stream(1, "subject"))
    activity = subject.run(subject.session(trials=30, duration=1.0, rng=stream(1, "s")), stream(1, "run"))
    above = activity["rate"].values - QUIET.floor * subject.parts["base"]
    for axis in range(3):
        size = np.linalg.svd(np.moveaxis(above, axis, 0).reshape(above.shape[axis], -1), compute_uv=False)
        assert size[2] > 1e-2 * size[0]
        assert size[3] < 1e-9 * size[0]
    latent = activity["latent"].values
    assert latent.min() >= 0
    assert latent.mean(axis=1).std(axis=0).min() > 0.1  # sizes change
    courses = latent / latent.mean(axis=1, keepdims=True)
    assert courses == pytest.approx(np.broadcast_to(courses[:1], courses.shape))  # and courses do not


def test_sizes_follow_their_trends():
    sizes = np.mean([QUIET.sizes(np.array([1.0, -1.0, 0.0]), 40, stream(k, "sizes")) for k in range(60)], axis=0)
    late = np.log(sizes[20:].mean(axis=0) / sizes[:20].mean(axis=0))
    assert late == pytest.approx([0.5, -0.5, 0.0], abs=0.15)  # halves are half of the session apart


def test_activity_is_that_of_cortex():
    circuit = TensorPopulation()
    subject = circuit.subject(stream(2, "subject"))
    activity = subject.run(subject.session(trials=20, duration=1.0, rng=stream(2, "s")), stream(2, "run"))
    assert 8 < mean_rates(activity).mean() < 30
    assert 0.9 < np.nanmean(fano_factors(activity)) < 2.5


def test_components_that_are_not_negative_find_it_and_centred_ones_less_so():
    found = {
        flag: worlds.scored(TensorComponents(n_factors=3, non_negative=flag), QUIET, duration=1.0)["r2"]
        for flag in (True, False)
    }
    assert found[True] > 0.98
    # each unit's mean is a factor that no trial or moment changes, which centring takes out of the others
    assert 0.7 < found[False] < 0.95


def test_more_factors_than_neurons_are_refused():
    with pytest.raises(SimlabError, match="factors must be at most n_neurons, 2, got 3"):
        TensorPopulation(n_neurons=2)
