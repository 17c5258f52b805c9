"""Wiring, truths and refusals of clustered networks and their rivals, without running any."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from circuits.networks.clustered_ei import PUBLISHED, ClusteredEI, ClusteredSubject
from circuits.networks.grouped_drive import GroupedDrive, GroupedDriveSubject, _alone
from circuits.networks.unclustered_ei import UnclusteredEI
from simlab.contracts import SimlabError
from simlab.session import Effect, Session
from simlab.streams import stream

SMALL = ClusteredEI(n_excitatory=200, n_inhibitory=50, clusters=4)
EXCITES = np.arange(250) < 200


@pytest.fixture(scope="module")
def wired() -> ClusteredSubject:
    return SMALL.subject(stream(1, "subject"))


@pytest.mark.parametrize(("n", "clusters"), [(10, 5), (11, 3), (200, 7), (40, 1)])
def test_clusters_are_as_large_as_they_can_be_alike(n, clusters):
    cluster = ClusteredEI(n_excitatory=n, clusters=clusters, likelier=1.0).cluster()
    sizes = np.bincount(cluster)
    assert len(sizes) == clusters
    assert np.ptp(sizes) <= 1
    assert (np.diff(cluster) >= 0).all()


@pytest.mark.parametrize(("likelier", "stronger"), [(1.0, 1.0), (2.5, 1.0), (1.0, 4.0), (3.0, 3.0)])
def test_clusters_change_neither_the_number_nor_the_mean_weight_of_excitatory_synapses(likelier, stronger):
    circuit = replace(SMALL, likelier=likelier, stronger=stronger)
    weight = circuit.weights(circuit.cluster(), stream(2, "w"))[:200, :200]
    same = circuit._same(circuit.cluster()) & ~np.eye(200, dtype=bool)
    off = ~np.eye(200, dtype=bool)
    assert (weight[off] > 0).mean() == pytest.approx(0.2, abs=0.01)  # of 39,800 pairs: standard error .002
    assert weight[off].mean() == pytest.approx(0.2 * 0.024 * np.sqrt(PUBLISHED / 200) * 15e-3, rel=0.04)
    inside, outside = weight[same], weight[off & ~same]
    assert (inside > 0).mean() / (outside > 0).mean() == pytest.approx(likelier, rel=0.1)
    assert inside.max() / outside.max() == pytest.approx(stronger)


def test_all_other_synapses_have_one_weight_of_their_kind(wired):
    scale = np.sqrt(PUBLISHED / 200) * 15e-3
    blocks = {(True, False): 0.014, (False, True): -0.045, (False, False): -0.057}
    for (pre, post), size in blocks.items():
        block = wired.weights[np.ix_(pre == EXCITES, post == EXCITES)]
        assert np.unique(block) == pytest.approx(sorted([0.0, size * scale]))
        assert (block != 0).mean() == pytest.approx(0.5, abs=0.03)
    assert not np.diagonal(wired.weights).any()


def test_inputs_from_outside_lie_between_what_was_said_and_contacts_are_where_synapses_are(wired):
    over = wired.external / 15e-3
    assert (over[EXCITES].min() >= 1.1) & (over[EXCITES].max() <= 1.2)
    assert (over[~EXCITES].min() >= 1.0) & (over[~EXCITES].max() <= 1.05)
    contacts = wired.anatomy["contacts"].values
    assert ((contacts > 0) == (wired.weights != 0)).all()
    assert contacts[contacts > 0].mean() == pytest.approx(4.5, rel=0.02)
    assert wired.anatomy["cell_type"].values.tolist() == ["E"] * 200 + ["I"] * 50


def test_the_synapses_that_run_are_those_of_the_truth(wired):
    network = wired.network
    told = wired.truth("connectivity", None, stream(3, "t"))["weight"].values
    run = np.zeros_like(told)
    for synapses, sign in zip(network.synapses, (1, -1), strict=True):
        run[synapses.pre, synapses.post] += sign * np.asarray(synapses.weight) * SMALL.rise
    assert run == pytest.approx(told)
    assert {s.target for s in network.synapses} == {"x_e", "x_i"}
    assert wired.truth("cell_type", None, stream(3, "t"))["label"].values[[0, -1]].tolist() == ["E", "I"]


def test_groups_are_clusters_and_single_inhibitory_neurons_or_one_where_there_are_none(wired):
    group = wired.truth("assemblies", None, stream(3, "t"))["group"].values
    assert np.bincount(group).tolist() == [50] * 4 + [1] * 50
    for whole in (UnclusteredEI(like=SMALL), replace(SMALL, clusters=1)):
        assert set(whole.subject(stream(3, "s")).truth("assemblies", None, stream(3, "t"))["group"].values) == {0}
    with pytest.raises(LookupError, match="clustered_ei"):
        wired.truth("tuning", None, stream(3, "t"))


def test_the_network_without_clusters_has_the_neurons_and_the_mean_weights_of_the_other(wired):
    plain = UnclusteredEI().imitating(SMALL).subject(stream(1, "subject"))
    assert plain.circuit.like is SMALL
    for pre in (True, False):
        for post in (True, False):
            blocks = [s.weights[np.ix_(pre == EXCITES, post == EXCITES)].mean() for s in (wired, plain)]
            assert blocks[1] == pytest.approx(blocks[0], rel=0.06)
    clusters = plain.weights[:200, :200].reshape(4, 50, 4, 50).mean(axis=(1, 3))
    assert np.ptp(clusters) < 0.25 * clusters.mean()  # 2500 pairs each: standard error 4% of it


@pytest.fixture(scope="module")
def driven(wired) -> GroupedDriveSubject:
    """A population whose twin's rates are given, so that none has to be run."""
    return GroupedDriveSubject(GroupedDrive(like=SMALL), wired, np.full(250, 5.0), wired.anatomy)


def test_each_neuron_follows_its_cluster_and_inhibitory_ones_are_the_last_group(driven):
    assert np.bincount(driven.follows).tolist() == [50] * 5
    assert (driven.follows[:200] == SMALL.cluster()).all()
    assert set(driven.truth("assemblies", None, stream(4, "t"))["group"].values) == {0}
    assert not driven.truth("connectivity", None, stream(4, "t"))["weight"].values.any()
    with pytest.raises(LookupError, match="grouped_drive"):
        driven.truth("cell_type", None, stream(4, "t"))
    shown = driven.session(trials=3, duration=2.0, rng=stream(4, "s"))
    assert shown.to_dict() == Session(3, 2.0).to_dict()


def test_a_trial_alone_has_the_pulses_that_reach_it():
    some = Effect("drive", np.ones(3), 0.1, 0.2, trials=(1, 3))
    every = Effect("drive", np.ones(3), 0.3, 0.4)
    session = Session(4, 0.5).perturbed(some, every)
    starts = [[effect.start for effect in _alone(session, trial).perturbations] for trial in range(4)]
    assert starts == [[0.3], [0.1, 0.3], [0.3], [0.1, 0.3]]
    alone = _alone(session, 3)
    assert (alone.trials, alone.duration) == (1, 0.5)
    assert all(effect.trials is None for effect in alone.perturbations)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"clusters": 21, "n_excitatory": 40}, ("clusters hold two neurons", "take 20 at most")),
        ({"external_i": (1.2, 1.0)}, ("external_i", "(1.2, 1.0)", "lower one first")),
        ({"dt": 6e-4}, ("dt", "half of rise", "1e-4")),
        ({"decay_i": 5e-4}, ("decay_i", "at least rise", "0.0005")),
        ({"likelier": 40.0, "connections_ee": 0.4}, ("likelier=40", "lower it", "connections_ee (0.4)")),
        ({"threshold": -70e-3}, ("threshold", "-0.07")),
        ({"weight_ie": -0.045}, ("weight_ie", "-0.045")),
        ({"stronger": 0.5}, ("stronger", "0.5")),
        ({"connections": 1.5}, ("connections", "1.5")),
        ({"contacts": 0.5}, ("contacts", "0.5")),
    ],
)
def test_odd_networks_are_refused_with_the_field_the_value_and_the_fix(change, words):
    with pytest.raises(SimlabError) as refusal:
        ClusteredEI(**change)
    assert all(word in str(refusal.value) for word in words)


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: GroupedDrive(smoothing=0.0), "smoothing"),
        (lambda: GroupedDrive(irregularity=3.0), "irregularity"),
        (lambda: GroupedDrive(like=UnclusteredEI()), "like"),
        (lambda: UnclusteredEI(like=GroupedDrive()), "like"),
    ],
)
def test_odd_rivals_are_refused(make, word):
    with pytest.raises(SimlabError, match=word):
        make()
