"""(a OR b) AND c, and its rival in which one of a and b does it all: alike where they are watched, not where cut."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from lesion_tables import largest_z, measured

import simlab
from circuits.causal.redundant import Redundant
from circuits.causal.single_path import SinglePath
from simlab.coalitions import minimal_sets, shapley, single_losses
from simlab.data import mean_rates
from simlab.session import Effect
from simlab.streams import stream


def subject_of(circuit, seed: int = 1):
    return circuit.subject(stream(seed, "subject"))


@cache
def natural(lapse: float = 0.2):
    """Activities of twin and rival in 4000 trials of the task, and the rival's subject."""
    like = Redundant(lapse=lapse)
    rival = SinglePath().imitating(like)
    subjects = subject_of(like), subject_of(rival)
    session = subjects[0].session(trials=4000, duration=0.3, rng=stream(2, "session"))
    return [s.run(session, stream(i, "run")) for i, s in enumerate(subjects)], subjects[1]


@pytest.mark.parametrize("circuit", [Redundant(), SinglePath()])
def test_they_keep_the_contract(circuit):
    assert simlab.check(circuit, raises=False).ok


def test_single_lesions_miss_the_copies_and_shapley_values_do_not():
    """SCIENCE part 2, item 18: single lesions cost 0, 0, 1, 0; Shapley values are 1/6, 1/6, 2/3, 0, exactly."""
    values = subject_of(Redundant(lapse=0.0)).values
    assert np.array_equal(single_losses(values), [0, 0, 1, 0])
    assert np.allclose(shapley(values), [1 / 6, 1 / 6, 2 / 3, 0], atol=1e-15)
    assert {tuple(np.flatnonzero(one)) for one in minimal_sets(values, 0.8)} == {(0, 2), (1, 2)}


@pytest.mark.parametrize("how", ["hold", "silence"])
@pytest.mark.parametrize("circuit", [Redundant(lapse=0.0), SinglePath(Redundant(lapse=0.0, copies=3))])
def test_sessions_with_sets_of_silenced_areas_give_the_table(circuit, how):
    subject = subject_of(circuit)
    assert np.array_equal(measured(subject, how=how), subject.values)


@pytest.mark.parametrize("circuit", [Redundant(lapse=0.2), SinglePath(Redundant(lapse=0.2))])
def test_lapses_lower_the_table_as_they_lower_what_sessions_show(circuit):
    subject = subject_of(circuit)
    assert largest_z(measured(subject, 400), subject.values, 400) < 4  # one in 32 sets by a chance of .002


def test_the_behaviour_of_the_intact_animal_is_as_stated():
    """(1 - l)(1 - l^C), of either."""
    for copies, lapse in ((1, 0.1), (2, 0.1), (4, 0.4)):
        like = Redundant(copies, lapse=lapse)
        for circuit in (like, SinglePath().imitating(like)):
            assert subject_of(circuit).values[-1] == pytest.approx((1 - lapse) * (1 - lapse**copies), abs=1e-12)


def test_the_rival_fires_and_behaves_as_its_twin_does_area_by_area():
    (one, other), _ = natural()
    rates = [mean_rates(activity) for activity in (one, other)]
    # 1200 s of about 26 Hz that varies by 14 Hz over trials of either kind: standard error .25 Hz
    assert np.abs(rates[0] - rates[1]).max() < 4 * 0.25 * np.sqrt(2)
    error = np.sqrt(2 * 0.768 * 0.232 / 4000)
    assert float(one["outcome"].mean()) == pytest.approx(float(other["outcome"].mean()), abs=4 * error)


def test_in_the_rival_one_copy_alone_decides_and_another_one_in_another_subject():
    (_, activity), subject = natural()
    causal = int(np.flatnonzero(subject.layout.weights.any(axis=1))[0])
    assert {int(np.flatnonzero(shapley(subject_of(SinglePath(), s).values)[:2])[0]) for s in range(8)} == {0, 1}
    spikes = np.zeros((4000, 4))
    np.add.at(spikes, (activity["spike_trial"].values, activity["spike_neuron"].values), 1)
    follows = [np.corrcoef(spikes[:, area], activity["outcome"].values)[0, 1] for area in range(4)]
    assert follows[causal] > 0.5
    assert max(abs(follows[area]) for area in (1 - causal, 3)) < 4 / np.sqrt(4000)


def test_the_prior_draws_circuits_within_reach_of_enumeration():
    drawn = [circuit.prior(stream(s, "prior")) for s in range(20) for circuit in (Redundant(), SinglePath())]
    assert len({repr(circuit) for circuit in drawn}) == 40
    assert max(subject_of(circuit).layout.n_areas for circuit in drawn) <= 8


def test_without_its_stimulus_the_gate_can_be_driven_and_a_bystander_drives_nothing():
    """A trial that shows nothing calls for what its condition calls for: stimulation can do it, or not."""
    subject = Redundant(lapse=0.0).subject(np.random.default_rng(0))
    session = subject.session(trials=9, duration=0.5, rng=np.random.default_rng(0))
    nothing = replace(session.stimulus, values=np.full_like(session.stimulus.values, np.nan))
    drives = [Effect("drive", 2.0 * (np.arange(4) == unit), 0.0, 0.5, (trial,)) for trial, unit in enumerate((0, 2, 3))]
    shown = replace(session, stimulus=nothing).perturbed(*drives)
    outcome = subject.run(shown, np.random.default_rng(1))["outcome"].values
    assert outcome.tolist() == [1, 1, 0, 0, 0, 0, 0, 0, 0]
