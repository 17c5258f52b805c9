"""`compensating` and `off_target`: the same lesion data, acute and chronic, and different truths."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from lesion_tables import largest_z, measured, measured_after_loss

import simlab
from circuits.causal.compensating import Compensating
from circuits.causal.off_target import OffTarget
from simlab.coalitions import members, minimal_sets, shapley
from simlab.data import in_window
from simlab.streams import stream

MAIN, DORMANT, SAYS = [0, 1], [2, 3], [4, 5]  # of compensating
PERMISSIVE, INSTRUCTIVE = 0, [1, 2]  # of off_target


@cache
def subject_of(circuit):
    return circuit.subject(stream(1, "subject"))


def without(subject, *areas: int) -> np.ndarray:
    """(1, area): all but these intact."""
    return ~np.isin(np.arange(subject.layout.n_areas), areas)[None]


@pytest.mark.parametrize("circuit", [Compensating(), OffTarget()])
def test_they_keep_the_contract(circuit):
    assert simlab.check(circuit, raises=False).ok


@pytest.mark.parametrize(
    ("circuit", "silenced"), [(Compensating(lapse=0.0), MAIN), (OffTarget(lapse=0.0), [PERMISSIVE])]
)
def test_acute_silencing_abolishes_what_chronic_loss_does_not(circuit, silenced):
    subject = subject_of(circuit)
    sets = without(subject, *silenced)
    for how in ("hold", "silence"):
        assert measured(subject, how=how, sets=np.concatenate([sets, without(subject)])).tolist() == [0.0, 1.0]
    for how in ("lesion", "hold"):
        assert measured_after_loss(subject, how=how, sets=sets).tolist() == [1.0]


@pytest.mark.parametrize(
    ("circuit", "needed"),
    [
        (Compensating(lapse=0.0, bystanders=0), MAIN + SAYS),
        (Compensating(lapse=0.0, bystanders=2), MAIN + SAYS),
        (OffTarget(lapse=0.0, bystanders=2), [1, 2, 3, 4]),
    ],
)
def test_a_quarter_belongs_to_each_area_that_carries_which_response_is_called_for(circuit, needed):
    values = subject_of(circuit).values
    expected = np.where(np.isin(np.arange(subject_of(circuit).layout.n_areas), needed), 0.25, 0.0)
    assert np.allclose(shapley(values), expected, atol=1e-15)
    assert [np.flatnonzero(one).tolist() for one in minimal_sets(values, 0.8)] == [needed]


def test_what_was_silenced_matters_in_the_one_and_not_in_the_other_whatever_lapses():
    main = shapley(subject_of(Compensating(lapse=0.1)).values)
    permissive = shapley(subject_of(OffTarget(lapse=0.1)).values)
    assert main[MAIN].min() > 0.15
    assert np.abs(main[DORMANT]).max() < 1e-12
    assert abs(permissive[PERMISSIVE]) < 1e-12
    assert permissive[INSTRUCTIVE].min() > 0.15


def test_the_table_of_compensating_is_what_acute_sessions_show():
    for lapse, repeats in ((0.0, 1), (0.15, 30)):
        subject = subject_of(Compensating(lapse=lapse, bystanders=0))
        found = measured(subject, repeats, how="silence")
        if not lapse:
            assert np.array_equal(found, subject.values)
        assert largest_z(found, subject.values, 2 * repeats) < 4.5  # 64 sets; outcomes of two patterns vary less


def test_the_table_of_off_target_is_what_animals_do_after_recovery():
    for lapse, repeats in ((0.0, 1), (0.15, 50)):
        subject = subject_of(OffTarget(lapse=lapse, bystanders=0))
        found = measured_after_loss(subject, repeats)
        if not lapse:
            assert np.array_equal(found, subject.values)
        assert largest_z(found, subject.values, 2 * repeats) < 4.5  # 32 sets


def test_the_intact_animal_acutely_is_where_both_games_begin():
    """With nothing gone nothing has adapted: the natural task is the full set of the table."""
    for circuit in (Compensating(lapse=0.1), OffTarget(lapse=0.1)):
        subject = subject_of(circuit)
        assert subject.values[-1] == pytest.approx(0.9**2)
        assert largest_z(measured(subject, 1000, sets=without(subject)), subject.values[-1:], 2000) < 4


def test_silencing_that_spares_one_trial_is_no_loss():
    """Recovery takes a permanent loss: the same hold on all trials but one leaves the animal as it is."""
    subject = subject_of(Compensating(lapse=0.0))
    sets = np.concatenate([without(subject, *MAIN), without(subject)])
    assert measured(subject, sets=sets)[0] == 0.0


def test_dormant_areas_follow_the_stimulus_as_main_ones_do_and_the_permissive_one_follows_nothing():
    for circuit, alike, untuned in (
        (Compensating(lapse=0.0), (MAIN, DORMANT), []),
        (OffTarget(lapse=0.0), (INSTRUCTIVE,), [PERMISSIVE]),
    ):
        subject = subject_of(circuit)
        session = subject.session(trials=400, duration=1.0, rng=stream(1, "session"))
        count = in_window(subject.run(session, stream(1, "run")), 0.3, 0.7)
        shown = np.array(session.conditions)
        tuning = (count[shown == 0].mean(axis=0) - count[shown == 1].mean(axis=0)) / 0.7
        error = 4 * np.sqrt(40 / 0.7 / 200)
        for kind in alike:
            assert tuning[kind] == pytest.approx([36, -36], abs=error)
        assert np.abs(tuning[untuned]).max(initial=0.0) < error * np.sqrt(2)


def test_dormant_synapses_are_wiring_that_does_nothing():
    subject = subject_of(Compensating())
    weight = subject.truth("connectivity", None, stream(0))["weight"].values
    assert weight[DORMANT, SAYS].tolist() == [0.25, 0.25]
    gone = np.isin(np.arange(subject.layout.n_areas), [0])
    assert subject.after_loss(gone).weights[DORMANT, SAYS].tolist() == [1.0, 0.25]  # beside the one that is gone
    assert len(members(subject.layout.n_areas)) == len(subject.values)


def test_the_priors_draw_circuits_within_reach_of_enumeration():
    drawn = [circuit.prior(stream(s, "prior")) for s in range(10) for circuit in (Compensating(), OffTarget())]
    assert len(set(drawn)) == 20
    assert max(subject_of(circuit).layout.n_areas for circuit in drawn) <= 9
