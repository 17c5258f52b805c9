"""The decision attractor: two states by two routes, choices as animals make them, latents from spikes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from circuits.causal.decision_network import DECAY
from circuits.decision.decision_attractor import DecisionAttractor
from simlab.activity_statistics import interval_cv
from simlab.contracts import SimlabError
from simlab.data import bin_spikes, mean_rates
from simlab.session import Effect, Session, Stimulus
from simlab.streams import stream

CIRCUIT = DecisionAttractor()


@pytest.fixture(scope="module")
def subject():
    return CIRCUIT.subject(stream(1, "subject"))


@pytest.fixture(scope="module")
def natural(subject):
    session = subject.session(trials=90, duration=1.0, rng=stream(1, "session"))
    return session, subject.run(session, stream(1, "run"))


def pools(subject, activity, start):
    """(trial, 2) [Hz] of left and right from `start` [s] on."""
    counts = bin_spikes(activity, 0.1).values[:, round(start / 0.1) :].mean(axis=1) / 0.1
    return np.stack([counts[:, subject.place[side]].mean(axis=1) for side in ("left", "right")], axis=1)


def test_without_evidence_equal_rates_are_a_saddle_between_two_mirrored_stable_states():
    equal, *others = CIRCUIT.competition().states()
    assert not equal[1]
    assert equal[0][0] == pytest.approx(equal[0][1])
    assert (CIRCUIT.competition().growth(equal[0]) > 0).sum() == 1  # unstable along the difference alone
    stable = sorted((rates.tolist() for rates, is_stable in others if is_stable))
    assert len(stable) == 2
    assert stable[0][:2] == pytest.approx(stable[1][1::-1], rel=1e-3)
    assert stable[0][1] > 10 * stable[0][0]


def test_the_truth_follows_the_strength_of_self_excitation(subject):
    assert str(subject.truth("dynamics", None, stream(1, "truth"))["label"].values) == "bistable"
    weak = replace(CIRCUIT, self_excitation=0.2e-3).subject(stream(1, "subject"))
    assert str(weak.truth("dynamics", None, stream(1, "truth"))["label"].values) == "fixed point"


def test_simulated_from_either_side_it_stays_there_at_the_rates_of_the_mean_field(subject):
    shown = np.zeros((16, 30, 1))
    session = Session(16, 1.5, Stimulus(("evidence",), shown, 0.05))
    pushes = []
    for number, side in enumerate(("left", "right")):
        current = np.zeros(subject.anatomy.sizes["neuron"])
        current[subject.place[side]] = 1.0
        pushes.append(Effect("drive", current, 0.0, 0.2, tuple(range(8 * number, 8 * number + 8))))
    rates = pools(subject, subject.run(session.perturbed(*pushes), stream(1, "push")), 1.0)
    winner = np.concatenate([rates[:8, 0], rates[8:, 1]])
    loser = np.concatenate([rates[:8, 1], rates[8:, 0]])
    assert ((winner > loser).sum()) >= 15
    expected = max(CIRCUIT.competition().states()[1][0][:2])
    assert winner.mean() == pytest.approx(expected, rel=0.2)  # private noise alone is in the mean field
    assert loser.mean() < 0.2 * winner.mean()


def test_it_is_right_more_often_the_stronger_the_evidence_at_cortical_rates(natural):
    session, activity = natural
    strength = np.abs(np.array(session.conditions) - 2.5).round(1)
    right = [activity["outcome"].values[strength == s].mean() for s in (0.5, 2.5)]
    assert right[1] >= 0.9  # of 30 trials
    assert 0.5 < right[0] < 0.95
    assert 4 < mean_rates(activity).mean() < 25
    assert 0.8 < np.nanmean(interval_cv(activity)) < 1.3


def test_latents_are_the_filtered_spikes_of_the_pools(subject, natural):
    truth = subject.truth("latents", natural[1], stream(1, "truth"))
    spikes, tau = natural[1], DECAY["slow"]
    step, trial = 80, 3
    now = float(truth["time"].values[step])
    mine = (spikes["spike_trial"].values == trial) & (spikes["spike_time"].values < now)
    neuron, age = spikes["spike_neuron"].values[mine], now - spikes["spike_time"].values[mine]
    for factor, side in enumerate(("left", "right")):
        inside = (neuron >= subject.place[side].start) & (neuron < subject.place[side].stop)
        summed = np.exp(-age[inside] / tau).sum() / (tau * CIRCUIT.n_selective)
        assert truth["latent"].values[trial, step, factor] == pytest.approx(summed, rel=0.1)
    with pytest.raises(SimlabError, match="run a session first"):
        subject.latents(None)
