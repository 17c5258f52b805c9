"""Clusters that take turns, the same network without them, and groups whose drive does what clusters did."""

from __future__ import annotations

import numpy as np
import pytest

import simlab
from circuits.networks.clustered_ei import ClusteredEI
from circuits.networks.grouped_drive import GroupedDrive
from circuits.networks.unclustered_ei import UnclusteredEI
from methods.assemblies.pushed_assembly import PushedAssembly
from simlab.activity_statistics import interval_cv
from simlab.checks.problem import PracticeRig
from simlab.contracts import Budget, SimlabError
from simlab.data import bin_spikes, mean_rates
from simlab.experiment import Cell, Plan
from simlab.instruments.recording.subsample import Subsample
from simlab.instruments.stimulating.ideal import Ideal
from simlab.lab.cell import run_cell
from simlab.lab.row import Settings
from simlab.session import Effect
from simlab.streams import stream

CLUSTERED = ClusteredEI()
WORLDS = {"clusters": CLUSTERED, "none": UnclusteredEI(), "driven": GroupedDrive()}
EXCITES = np.arange(500) < 400


@pytest.fixture(scope="module")
def subjects():
    return {name: circuit.subject(stream(1, "subject")) for name, circuit in WORLDS.items()}


@pytest.fixture(scope="module")
def counts(subjects):
    """Spikes (trial, bin, neuron) in 100 ms of four trials of five seconds."""
    found = {}
    for name, subject in subjects.items():
        session = subject.session(trials=4, duration=5.0, rng=stream(1, "session"))
        found[name] = subject.run(session, stream(1, "run"))
    return {name: bin_spikes(activity, 0.1).values for name, activity in found.items()} | {"activities": found}


def fano(counts: np.ndarray) -> float:
    """Of excitatory neurons that fire, over all bins."""
    flat = counts[..., EXCITES].reshape(-1, EXCITES.sum())
    fired = flat.mean(axis=0) > 0.05
    return float((flat.var(axis=0) / np.maximum(flat.mean(axis=0), 1e-9))[fired].mean())


def within_and_between(counts: np.ndarray) -> tuple[float, float]:
    """Mean count correlations of pairs of one cluster and of two."""
    flat, cluster = counts[..., EXCITES].reshape(-1, EXCITES.sum()), CLUSTERED.cluster()
    fired = flat.std(axis=0) > 0
    matrix = np.corrcoef(flat[:, fired].T)
    same = cluster[fired][:, None] == cluster[fired]
    off = ~np.eye(len(matrix), dtype=bool)
    return float(matrix[same & off].mean()), float(matrix[~same].mean())


@pytest.mark.parametrize(
    "name", ["clusters", pytest.param("none", marks=pytest.mark.slow), pytest.param("driven", marks=pytest.mark.slow)]
)
def test_they_keep_the_contract(name):
    assert simlab.check(WORLDS[name]).ok


def test_wiring_has_the_probabilities_and_mean_weights_that_are_stated(subjects):
    weight = {name: subjects[name].weights[:400, :400] for name in ("clusters", "none")}
    cluster = CLUSTERED.cluster()
    same = (cluster[:, None] == cluster) & ~np.eye(400, dtype=bool)
    other = cluster[:, None] != cluster
    inside, outside = weight["clusters"][same], weight["clusters"][other]
    assert (inside > 0).mean() / (outside > 0).mean() == pytest.approx(2.5, rel=0.05)
    assert inside.max() / outside.max() == pytest.approx(1.9)
    for w in weight.values():
        assert (w > 0).mean() == pytest.approx(0.2, rel=0.02)
        # at the size of the paper .024, and sqrt(10) of it here, over 15 mV
        assert w.mean() == pytest.approx(0.2 * 0.024 * np.sqrt(10) * 15e-3, rel=0.02)
    assert weight["none"][weight["none"] > 0].std() < 1e-12


def test_clusters_make_rates_wander_and_a_network_without_them_does_not(counts):
    with_clusters, without = (counts[name] for name in ("clusters", "none"))
    assert fano(with_clusters) > 1.0 > fano(without)  # Litwin-Kumar & Doiron 2012
    inside, between = within_and_between(with_clusters)
    assert inside > 0.3
    assert abs(between) < 0.1
    assert max(np.abs(within_and_between(without))) < 0.05
    swings = with_clusters[..., :400].reshape(4, 50, 10, 40).mean(axis=3) / 0.1
    assert swings.max() > 30  # Hz: active
    assert np.median(swings) < 8  # most are not


def test_the_driven_groups_do_what_clusters_do(counts):
    for name in ("clusters", "driven"):
        activity = counts["activities"][name]
        assert 3 < mean_rates(activity)[EXCITES].mean() < 20
        assert 0.5 < np.nanmean(interval_cv(activity)[EXCITES]) < 2.0
    one, other = (mean_rates(counts["activities"][name]) for name in ("clusters", "driven"))
    assert other.mean() == pytest.approx(one.mean(), rel=0.15)
    assert fano(counts["driven"]) > 1.0
    assert within_and_between(counts["driven"])[0] > 0.3


def test_pushing_half_a_cluster_recruits_the_rest_only_where_it_is_wired(subjects):
    push = np.where(np.arange(500) < 20, 1.0, 0.0)
    gained = {}
    for name, subject in subjects.items():
        session = subject.session(trials=4, duration=0.5, rng=stream(2, "session"))
        pushed = session.perturbed(Effect("drive", push, 0.1, 0.4))
        plain, driven = (mean_rates(subject.run(s, stream(2, "run")))[20:40].mean() for s in (session, pushed))
        gained[name] = driven - plain
    assert gained["clusters"] > 10  # Hz
    assert abs(gained["none"]) < 5
    assert abs(gained["driven"]) < 3


def test_truths_are_those_of_the_wiring(subjects):
    told = {name: s.truth("assemblies", None, stream(3, "t"))["group"].values for name, s in subjects.items()}
    assert len(np.unique(told["clusters"])) == 110  # ten clusters, and each inhibitory neuron by itself
    assert len(np.unique(told["none"])) == len(np.unique(told["driven"])) == 1
    assert not subjects["driven"].truth("connectivity", None, stream(3, "t"))["weight"].values.any()


def test_the_push_is_a_method_too():
    family = tuple(sorted({c.mechanism for c in WORLDS.values()}))
    plan = Plan(24, 1.2)
    cell = Cell(CLUSTERED, 0, plan, Subsample(n_units=100), PushedAssembly(), stimulator=Ideal(), family=family)
    row, _ = run_cell(cell, Settings("pushed", None, 60.0, 2**30))
    assert row["recovered"] == 1.0


def test_a_budget_that_is_too_small_and_strange_candidates_make_it_abstain():
    brief = {"candidates": ("clustered wiring", "common drive", "homogeneous wiring")}
    few = PushedAssembly().investigate(PracticeRig(brief, Budget(10, 10.0, 5), n_units=12), stream(4, "x"))
    assert "too small" in few.abstained
    other = PracticeRig({"candidates": ("this", "that")}, Budget(100, 500.0, 50), n_units=12)
    assert "none of the candidates" in PushedAssembly().investigate(other, stream(4, "x")).abstained


def test_parameters_that_contradict_one_another_are_refused():
    for change, said in (
        ({"clusters": 300}, "clusters"),
        ({"likelier": 50.0, "connections_ee": 0.5}, "likelier"),
        ({"external_e": (1.2, 1.1)}, "external_e"),
        ({"decay_e": 5e-4}, "decay_e"),
    ):
        with pytest.raises(SimlabError, match=said):
            ClusteredEI(**change)
