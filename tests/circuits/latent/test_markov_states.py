"""Populations whose rates jump among states: the chain's law, the truth about it, and the rival's match."""

from functools import cache

import numpy as np
import pytest

from circuits.latent.markov_states import MarkovStates
from circuits.latent.own_states import OwnStates
from simlab.streams import stream

CIRCUIT = MarkovStates(n_neurons=30, model="rate")


@cache
def ran(circuit, trials=80):
    subject = circuit.subject(stream(1, "subject"))
    session = subject.session(trials=trials, duration=2.0, rng=stream(1, "session"))
    return subject, subject.run(session, stream(1, "run"))


def test_the_rates_are_those_of_the_state_that_the_truth_tells():
    subject, activity = ran(CIRCUIT)
    rates, latent = activity["rate"].values, subject.truth("latents", activity, stream(0))["latent"].values
    state = np.where(latent.any(axis=2), latent.argmax(axis=2), 3)
    levels = np.stack([rates[state == k].mean(axis=0) for k in range(4)])
    assert np.abs(rates - levels[state]).max() < 1e-3
    # an affine function of three factors, by singular values
    flat = rates.reshape(-1, 30).astype(float)
    size = np.linalg.svd(flat - flat.mean(0), compute_uv=False)
    assert int((size > 1e-5 * size[0]).sum()) == subject.truth("dimensionality", None, stream(0))["linear"] == 3


def test_visits_last_as_long_as_stated_and_mostly_go_on_around_the_circle():
    subject, activity = ran(CIRCUIT)
    latent = subject.truth("latents", activity, stream(0))["latent"].values
    state = np.where(latent.any(axis=2), latent.argmax(axis=2), 3)
    jumped = np.diff(state, axis=1) != 0
    # 16,000 bins and some 530 jumps: a standard error of 4% of the mean visit; of 2 points of the share
    assert 0.01 / jumped.mean() == pytest.approx(0.3, rel=0.15)
    onward = (np.diff(state, axis=1) % 4 == 1)[jumped].mean()
    assert onward == pytest.approx(0.8, abs=0.08)
    assert np.bincount(state.ravel()) / state.size == pytest.approx(np.full(4, 0.25), abs=0.06)
    assert CIRCUIT.transitions().sum(axis=1) == pytest.approx(np.ones(4))


def test_neurons_with_their_own_states_have_the_same_law_and_jump_alone():
    rival = OwnStates().imitating(CIRCUIT)
    one, other = (ran(each)[1]["rate"].values.astype(float) for each in (CIRCUIT, rival))
    for each in range(0, 30, 7):
        assert set(np.round(np.unique(other[..., each]), 2)) == set(np.round(np.unique(one[..., each]), 2))
    # of a neuron's mean, 80 x 2 s hold about 200 visits of sd .9 of the mean each: a standard error of 7%
    assert other.mean(axis=(0, 1)) == pytest.approx(one.mean(axis=(0, 1)), rel=0.3)
    together = [np.abs(np.corrcoef(x.reshape(-1, 30).T)[np.triu_indices(30, 1)]).mean() for x in (one, other)]
    assert together[0] > 0.3
    assert together[1] < 0.1
    assert ran(rival)[0].truth("dimensionality", None, stream(0))["linear"] == 0
    assert ran(rival)[0].truth("latents", ran(rival)[1], stream(0)).sizes["factor"] == 0
