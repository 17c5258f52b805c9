"""Distances of flows that a rotation makes alike or not, and populations whose flow is known."""

from __future__ import annotations

import numpy as np
import pytest

import simlab
from circuits.coding.shared_code import SharedCode
from circuits.latent.other_flow import OtherFlow
from circuits.latent.population import middles
from circuits.latent.shared_flow import SharedFlow, flowing, turning_matrix
from methods.similarity.dynamical_similarity import DynamicalSimilarity, distance, leading, operator
from simlab import truths
from simlab.activity_statistics import fano_factors
from simlab.contracts import Finding, SimlabError
from simlab.data import mean_rates
from simlab.instruments.recording.perfect import Perfect
from simlab.lab.blinding import BlindImplant
from simlab.lab.regions import drawn
from simlab.questions.shared_mechanism import SharedMechanism, flow_difference
from simlab.questions.similarity import Similarity
from simlab.streams import stream

QUESTION = SharedMechanism()
METHOD = DynamicalSimilarity(splits=4)


@pytest.fixture(scope="module")
def worlds():
    """Subject, activity and recording of either circuit."""
    found = {}
    for circuit in (SharedFlow(n_neurons=80), OtherFlow(SharedFlow(n_neurons=80))):
        subject = circuit.subject(stream(2, "subject"))
        session = subject.session(trials=36, duration=2.0, rng=stream(2, "session"))
        activity = subject.run(session, stream(2, "run"))
        implant, names = Perfect().implant(subject.anatomy, stream(2, "i")), drawn(subject.anatomy, stream(2, "n"))
        blind = BlindImplant(implant, stream(2, "blind"), subject.anatomy, names)
        found[circuit.name] = subject, activity, blind.record(activity, stream(2, "record"))
    return found


@pytest.mark.parametrize("name", ["shared_flow", "other_flow", "shared_mechanism"])
def test_they_keep_the_contract(name):
    assert simlab.check(name).ok


def test_a_turned_flow_is_no_distance_away_and_another_spectrum_is():
    rng = np.random.default_rng(0)
    a = rng.standard_normal((5, 5))
    c = np.linalg.qr(rng.standard_normal((5, 5)))[0]
    assert distance(a, c @ a @ c.T, rng) == pytest.approx(0, abs=1e-3)
    # of rotations by other angles in a plane: tr(A' C B C') is 2 cos(p - q) or 2 cos(p + q), and both have length^2 2
    p, q = (turning_matrix(np.exp(1j * np.array([angle]))) for angle in (0.3, 1.0))
    assert distance(p, q, rng) == pytest.approx(np.sqrt((4 - 4 * np.cos(0.7)) / 4), abs=1e-6)


def test_states_have_the_variance_and_the_correlations_of_the_flow_and_are_read_back():
    poles = -2 + 2j * np.pi * np.array([0.5, 2.0])
    x = flowing(poles, np.zeros((400, 4)), 100, 0.02, np.random.default_rng(1))
    assert x.var(axis=(0, 1)) == pytest.approx(np.ones(4), abs=0.1)
    later = operator(x[:, :-1], x[:, 1:])
    assert later == pytest.approx(turning_matrix(np.exp(poles * 0.02)), abs=0.02)
    white = leading(x @ np.random.default_rng(2).standard_normal((4, 7)), 4, white=True).reshape(-1, 4)
    assert white.T @ white / len(white) == pytest.approx(np.eye(4), abs=1e-6)


def test_the_share_of_a_trial_is_the_flows_integral(worlds):
    for subject, activity, _ in worlds.values():
        quiet = flowing(subject.parts["poles"][1], np.eye(4) * 1e6, 100, 0.02, np.random.default_rng(1)) / 1e6
        mean = quiet.mean(axis=1).T  # (factor, feature)
        told = subject.circuit.readout(subject.parts, 2.0)[subject.parts["population"] == 1]
        scaled = subject.parts["scaled"][subject.parts["population"] == 1]
        assert told == pytest.approx(scaled @ mean, abs=0.03 * np.abs(scaled).max())  # bins of 20 ms
        truth = subject.truth("similarity", activity, stream(0, "t"))
        implant = Perfect().implant(subject.anatomy, stream(0, "i"))
        assert float(Similarity().project(truth, implant.key)["similarity"]) == pytest.approx(1)
        with pytest.raises(LookupError, match="in a session that was run"):
            subject.truth("similarity", None, stream(0, "t"))
        assert activity["latent"].shape == (36, len(middles(2.0, 0.02)), 8)


def test_activity_is_alike_and_that_of_cortex(worlds):
    rates = [mean_rates(activity).mean() for _, activity, _ in worlds.values()]
    assert rates[0] == pytest.approx(rates[1], rel=0.05)
    for _, activity, _ in worlds.values():
        assert 10 < mean_rates(activity).mean() < 25
        assert 1.0 < np.nanmean(fano_factors(activity)) < 2.5


def test_one_flow_is_found_in_other_neurons_and_two_are_told_apart(worlds):
    same, apart = (METHOD.analyse(recording, stream(3, "m")) for _, _, recording in worlds.values())
    assert same.estimate["shared"]
    assert not apart.estimate["shared"]
    assert same.estimate["similarity"] > apart.estimate["similarity"] + 0.1
    for (subject, _, _), finding, right in zip(worlds.values(), (same, apart), (True, False), strict=True):
        implant = Perfect().implant(subject.anatomy, stream(0, "i"))
        truth = QUESTION.project(subject.truth("shared_mechanism", None, stream(0, "t")), implant.key)
        assert bool(truth["shared"]) == right
        assert QUESTION.score(finding, truth)["correct"] == 1


def test_flows_are_compared_by_their_eigenvalues_in_any_order():
    assert flow_difference(np.array([-1, -2 + 3j]), np.array([-2 + 3j, -1])) == 0
    assert flow_difference(np.array([-1 + 0j]), np.array([-2 + 0j])) == pytest.approx(0.5)
    assert flow_difference(np.array([-1 + 0j]), np.array([-1, -2 + 0j])) == 1
    told = truths.flows(np.array([[-1, -2 + 3j], [-1, -2 + 9j]]))
    truth = QUESTION.project(told, None)
    assert not bool(truth["shared"])
    assert QUESTION.false_recovery(Finding({"shared": True}), truth)
    assert not QUESTION.false_recovery(Finding.abstain("one population"), truth)
    with pytest.raises(SimlabError, match="of 2 populations, with 2 parts of each eigenvalue, got 1 and 2"):
        QUESTION.project(told.isel(population=[0]), None)


def test_what_is_impossible_is_refused_and_too_little_is_an_abstention(worlds):
    seen = worlds["shared_flow"][2]
    assert "two populations" in METHOD.analyse(seen.drop_vars("unit_region"), stream(1, "m")).abstained
    assert "too short for 60 delays" in DynamicalSimilarity(delays=60).analyse(seen, stream(1, "m")).abstained
    with pytest.raises(SimlabError, match=r"frequencies must be \(lowest, highest\), got \(3.0, 1.0\)"):
        SharedFlow(frequencies=(3.0, 1.0))
    subject = SharedCode().subject(stream(1, "s"))
    with pytest.raises(LookupError):
        subject.truth("shared_mechanism", None, stream(1, "t"))
