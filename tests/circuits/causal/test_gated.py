"""Parts that are all needed behind a gate that is always open, and the rival whose gate permits nothing."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from lesion_tables import largest_z, measured

import simlab
from circuits.causal.gated import Gated
from circuits.causal.ungated import Ungated
from simlab.coalitions import minimal_sets, shapley, single_losses
from simlab.data import in_window
from simlab.streams import stream

LIKE = Gated(parts=2, bystanders=1, lapse=0.1)
PERMISSIVE, RESPONSE = 2, 3


def subject_of(circuit):
    return circuit.subject(stream(1, "subject"))


@cache
def natural():
    """Activities of twin and rival in 4000 trials of the task."""
    subjects = [subject_of(circuit) for circuit in (LIKE, Ungated().imitating(LIKE))]
    session = subjects[0].session(trials=4000, duration=0.5, rng=stream(2, "session"))
    return [s.run(session, stream(i, "run")) for i, s in enumerate(subjects)]


@pytest.mark.parametrize("circuit", [Gated(), Ungated()])
def test_they_keep_the_contract(circuit):
    assert simlab.check(circuit, raises=False).ok


@pytest.mark.parametrize("parts", [1, 3])
def test_all_parts_share_alike_in_what_only_all_of_them_achieve(parts):
    """A game that only all P + 2 players win gives 1 / (P + 2) to each; half of the outcome is at stake."""
    n, bystanders = parts + 2, 2
    values = subject_of(Gated(parts, bystanders, lapse=0.0)).values
    assert np.allclose(shapley(values), [*[0.5 / n] * n, 0, 0], atol=1e-15)
    assert np.array_equal(single_losses(values), [*[0.5] * n, 0, 0])
    assert minimal_sets(values, 0.8).tolist() == [[True] * n + [False] * 2]
    rival = subject_of(Ungated(Gated(parts, bystanders, lapse=0.0))).values
    assert np.allclose(shapley(rival), [*[0.5 / (n - 1)] * parts, 0, 0.5 / (n - 1), 0, 0], atol=1e-15)


@pytest.mark.parametrize("how", ["hold", "silence"])
@pytest.mark.parametrize("circuit", [Gated(lapse=0.0), Ungated(Gated(lapse=0.0))])
def test_sessions_with_sets_of_silenced_areas_give_the_table(circuit, how):
    subject = subject_of(circuit)
    assert np.array_equal(measured(subject, how=how), subject.values)


@pytest.mark.parametrize("circuit", [LIKE, Ungated(LIKE)])
def test_lapses_lower_the_table_as_they_lower_what_sessions_show(circuit):
    subject = subject_of(circuit)
    stated = 2 * subject.values - 1  # of the trials that call for a response; the others are never lost
    assert largest_z(2 * measured(subject, 50) - 1, stated, 100) < 4
    assert subject.values[-1] == pytest.approx(0.5 + 0.5 * 0.9**4)


def test_the_permissive_area_is_on_in_every_trial_and_tuned_to_nothing():
    activity = natural()[0]
    wanted = np.array(activity["condition"].values) < 2
    count = in_window(activity, 0.1, 0.4)
    rate = [count[wanted == asked].mean(axis=0) / 0.4 for asked in (False, True)]
    assert rate[0][PERMISSIVE] == pytest.approx(rate[1][PERMISSIVE], abs=4 * np.sqrt(2 * 50 / 0.4 / 2000))
    assert rate[1][RESPONSE] - rate[0][RESPONSE] > 20


def test_the_rival_fires_and_behaves_as_its_twin_does():
    one, other = natural()
    count = [in_window(activity, 0.0, 0.5) for activity in (one, other)]
    error = np.sqrt(count[0].var(axis=0) / 4000 * 2)
    assert (np.abs(count[0].mean(axis=0) - count[1].mean(axis=0)) < 4 * error).all()
    error = np.sqrt(2 * 0.83 * 0.17 / 4000)
    assert float(one["outcome"].mean()) == pytest.approx(float(other["outcome"].mean()), abs=4 * error)


def test_the_prior_draws_circuits_within_reach_of_enumeration():
    drawn = [circuit.prior(stream(s, "prior")) for s in range(20) for circuit in (Gated(), Ungated())]
    assert max(subject_of(circuit).layout.n_areas for circuit in drawn) <= 9
