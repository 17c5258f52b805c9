"""`two_pathways` and `elsewhere`: what follows the stimulus and predicts the behaviour without making it."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from lesion_tables import largest_z, measured

import simlab
from circuits.causal.elsewhere import Elsewhere
from circuits.causal.shared_lapses import shared_and_own
from circuits.causal.two_pathways import TwoPathways
from simlab.coalitions import minimal_sets, shapley
from simlab.data import in_window
from simlab.session import Effect
from simlab.streams import stream

TRIALS = 4000


def subject_of(circuit, seed: int = 1):
    return circuit.subject(stream(seed, "subject"))


@cache
def seen(circuit):
    """Of trials with a stimulus: which areas are seen to be on (trial, area), the outcome; of others: rates [Hz]."""
    subject = subject_of(circuit)
    session = subject.session(trials=TRIALS, duration=1.0, rng=stream(1, "session"))
    activity = subject.run(session, stream(1, "run"))
    shown = np.array(session.conditions) == 0
    count = in_window(activity, 0.3, 0.7)
    # 28 spikes if on, 2.8 if off: a threshold of 12 is wrong in one trial of ten thousand
    return count[shown] > 12, activity["outcome"].values[shown] == 1, count[~shown].mean(axis=0) / 0.7


@pytest.mark.parametrize("circuit", [TwoPathways(), Elsewhere()])
def test_they_keep_the_contract(circuit):
    assert simlab.check(circuit, raises=False).ok


@pytest.mark.parametrize("correlation", [0.0, 0.3, 1.0])
def test_the_dial_is_the_correlation_of_the_routes_and_leaves_their_lapses(correlation):
    shared, own = shared_and_own(0.3, correlation)
    assert (1 - shared) * (1 - own) == pytest.approx(0.7)
    circuit = TwoPathways(stages=1, correlation=correlation, lapse=0.3)
    on, right, quiet = seen(circuit)
    assert on[:, :2].mean(axis=0) == pytest.approx([0.7, 0.7], abs=4 * np.sqrt(0.21 / 2000))
    # a correlation of 2000 trials has a standard error of at most .022
    assert np.corrcoef(on[:, 0], on[:, 1])[0, 1] == pytest.approx(correlation, abs=0.09)
    assert quiet == pytest.approx(4.0, abs=4 * np.sqrt(4 / 0.7 / 2000))
    causal = int(shapley(subject_of(circuit).values)[1] > 0)
    assert np.corrcoef(on[:, causal], right)[0, 1] > 0.99
    assert np.corrcoef(on[:, 1 - causal], right)[0, 1] == pytest.approx(correlation, abs=0.09)


@pytest.mark.parametrize("how", ["hold", "silence"])
@pytest.mark.parametrize("circuit", [TwoPathways(lapse=0.0), Elsewhere(lapse=0.0)])
def test_sessions_with_sets_of_silenced_areas_give_the_table(circuit, how):
    subject = subject_of(circuit)
    assert np.array_equal(measured(subject, how=how), subject.values)


@pytest.mark.parametrize("circuit", [TwoPathways(correlation=0.6), Elsewhere(areas=3, correlation=0.6)])
def test_lapses_lower_the_table_as_they_lower_what_sessions_show(circuit):
    subject = subject_of(circuit)
    stated = 2 * subject.values - 1  # of the trials that call for a response; the others are never lost
    assert largest_z(2 * measured(subject, 100) - 1, stated, 100) < 4
    assert subject.values[-1] == pytest.approx(0.5 + 0.5 * 0.8)


def test_one_route_matters_and_which_one_is_the_subjects_own():
    found = set()
    for seed in range(8):
        values = subject_of(TwoPathways(stages=3, lapse=0.0), seed).values
        (circuit,) = minimal_sets(values, 0.8)
        found.add(tuple(np.flatnonzero(circuit).tolist()))
        assert np.allclose(shapley(values)[circuit], 0.5 / 4, atol=1e-15)
        assert not np.abs(shapley(values)[~circuit]).any()
    assert found == {(0, 1, 2, 6), (3, 4, 5, 6)}


def test_the_other_route_is_wired_to_the_response_and_does_not_reach_it():
    subject = subject_of(TwoPathways(stages=1, lapse=0.0))
    weight = subject.truth("connectivity", None, stream(0))["weight"].values
    assert sorted(weight[:2, 2].tolist()) == [0.25, 1.0]
    other = int(weight[0, 2] == 1)
    session = subject.session(trials=4, duration=0.3, rng=stream(1))
    only = np.where(np.arange(3) == other, 40.0, 0.0)
    only[2] = np.nan
    held = subject.run(session.perturbed(Effect("hold", only, 0.0, 0.3)), stream(1))
    assert not held["behaviour"].values.any()


def test_elsewhere_every_area_predicts_the_behaviour_and_none_matters():
    circuit = Elsewhere(areas=3, correlation=0.5)
    subject = subject_of(circuit)
    on, right, _ = seen(circuit)
    assert [np.corrcoef(on[:, i], right)[0, 1] for i in range(3)] == pytest.approx([0.5] * 3, abs=0.09)
    assert np.corrcoef(on.T)[np.triu_indices(3, 1)] == pytest.approx([0.5] * 3, abs=0.09)
    assert np.ptp(subject.values) < 1e-12
    assert not np.abs(shapley(subject.values)).round(12).any()
    assert minimal_sets(subject.values, 0.8).tolist() == [[False] * 3]
    assert subject.anatomy["region"].values.tolist() == ["area 0", "area 1", "area 2"]


def test_priors_draw_circuits_within_reach_of_enumeration():
    drawn = [circuit.prior(stream(s, "prior")) for s in range(10) for circuit in (TwoPathways(), Elsewhere())]
    assert len(set(drawn)) == 20
    assert max(subject_of(circuit).layout.n_areas for circuit in drawn) <= 10
