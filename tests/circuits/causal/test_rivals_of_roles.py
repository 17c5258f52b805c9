"""Rivals: the areas, rates, tuning and behaviour of another circuit, and other roles."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from lesion_tables import largest_z, measured, measured_after_loss

import simlab
from circuits.causal.both_pathways import BothPathways
from circuits.causal.bypassed_gate import BypassedGate, on_in
from circuits.causal.compensating import Compensating
from circuits.causal.crossed_chain import CrossedChain
from circuits.causal.driver_area import DriverArea
from circuits.causal.elsewhere import Elsewhere
from circuits.causal.layout import achieved, right_answers
from circuits.causal.logic_tree import LogicTree
from circuits.causal.no_recovery import NoRecovery
from circuits.causal.off_target import OffTarget
from circuits.causal.onlookers import Onlookers
from circuits.causal.stimulated_chain import StimulatedChain
from circuits.causal.two_pathways import TwoPathways
from simlab.coalitions import members, shapley, with_lapses
from simlab.data import in_window
from simlab.streams import stream

PAIRS = (
    (NoRecovery(), Compensating(lapse=0.1)),
    (NoRecovery(), OffTarget(lapse=0.1)),
    (Onlookers(), Compensating(lapse=0.1)),
    (BothPathways(), TwoPathways(lapse=0.3)),
    (DriverArea(), Elsewhere(areas=3)),
    (BypassedGate(), LogicTree(inputs=4, not_share=0.4, lapse=0.05)),
)
NAMES = [f"{rival.name}-{like.name}" for rival, like in PAIRS]
TRIALS = 2000


@cache
def subject_of(circuit, seed: int = 1):
    return circuit.subject(stream(seed, "subject"))


@cache
def seen(circuit, trials: int = TRIALS):
    """Of the natural task: conditions (trial,), spikes (trial, area) after the first stages, the outcome (trial,)."""
    subject = subject_of(circuit)
    session = subject.session(trials=trials, duration=0.6, rng=stream(1, "session"))
    activity = subject.run(session, stream(1, "run"))
    return np.array(session.conditions), in_window(activity, 0.2, 0.4), activity["outcome"].values


@pytest.mark.parametrize(("rival", "like"), PAIRS, ids=NAMES)
def test_rates_in_every_condition_and_behaviour_are_those_of_the_twin(rival, like):
    condition, one, right = seen(like)
    _, other, again = seen(rival.imitating(like))
    for k in np.unique(condition):
        mine = condition == k
        error = np.sqrt((one[mine].var(axis=0) + other[mine].var(axis=0)) / mine.sum())
        assert (np.abs(one[mine].mean(axis=0) - other[mine].mean(axis=0)) < 4.5 * error + 0.02 * len(one[0])).all()
    error = np.sqrt((right.var() + again.var()) / TRIALS)
    assert abs(right.mean() - again.mean()) < 4 * error
    assert subject_of(rival.imitating(like)).layout.names[: len(one[0])] == subject_of(like).layout.names[: len(one[0])]


@pytest.mark.parametrize(("rival", "like"), PAIRS, ids=NAMES)
def test_sessions_with_silenced_areas_give_the_table_of_the_rival(rival, like):
    certain = subject_of(rival.imitating(replace(like, lapse=0.0)))
    lapsing = subject_of(rival.imitating(like))
    sets = members(certain.layout.n_seen)[:: max(1, 2**certain.layout.n_seen // 64)]
    numbers = sets @ 2 ** np.arange(sets.shape[1])
    assert np.array_equal(measured(certain, how="silence", sets=sets), certain.values[numbers])
    n_patterns = len(certain.layout.patterns)
    found = measured(lapsing, 60 // n_patterns, sets=sets)
    assert largest_z(found, lapsing.values[numbers], 60 // n_patterns * n_patterns) < 5  # patterns vary less than coins


def share(rival, like) -> dict[str, float]:
    """The importance of each area of the rival, by its name, without lapses."""
    subject = subject_of(rival.imitating(replace(like, lapse=0.0)))
    return dict(zip(subject.layout.names, shapley(subject.values).round(9).tolist(), strict=False))


def test_what_was_made_up_for_in_the_twin_is_needed_for_good():
    roles = share(NoRecovery(), OffTarget())
    assert roles["permissive"] == pytest.approx(1 / 3)
    assert roles["response a"] == roles["instructive b"] == pytest.approx(1 / 6)
    for like, lost in ((Compensating(lapse=0.0), (0, 1)), (OffTarget(lapse=0.0), (0,))):
        subject = subject_of(NoRecovery(like))
        sets = ~np.isin(np.arange(subject.layout.n_areas), lost)[None]
        assert measured_after_loss(subject, sets=sets).tolist() == [0.0]
        assert measured_after_loss(subject_of(like), sets=sets).tolist() == [1.0]
        assert np.array_equal(seen(NoRecovery(like), 50)[1], seen(like, 50)[1])  # the same animal while it is intact


def test_onlookers_are_on_whenever_the_response_could_be_and_are_not_needed():
    like = Compensating(lapse=0.1)
    roles = share(Onlookers(), like)
    assert {name for name, value in roles.items() if value} == {"response a", "response b"}
    assert roles["response a"] == pytest.approx(0.5)
    joint = []
    for circuit in (like, Onlookers(like)):
        condition, count, right = seen(circuit)
        on = count[condition == 0][:, [0, 2, 4]] > 8  # main, dormant and response a: 16 spikes where on, else 2
        states = np.column_stack([on, right[condition == 0] == 1])
        joint.append(np.bincount(states @ (1 << np.arange(4)), minlength=16) / len(states))
    error = np.sqrt(np.maximum(joint[0] * (1 - joint[0]), 1e-3) * 2 / (TRIALS / 2))
    assert (np.abs(joint[0] - joint[1]) < 4 * error).all()


def test_either_route_is_enough_and_one_of_the_followers_is_all():
    values = subject_of(BothPathways(TwoPathways(lapse=0.0, stages=1))).values
    assert shapley(values) == pytest.approx([1 / 12, 1 / 12, 1 / 3])  # (a OR b) AND c, of 1/2 that is at stake
    drivers = set()
    for seed in range(8):
        subject = DriverArea(Elsewhere(areas=3, lapse=0.0)).subject(stream(seed, "subject"))
        importance = shapley(subject.values)
        assert sorted(importance.tolist()) == pytest.approx([0, 0, 0.5])
        drivers.add(int(importance.argmax()))
    assert drivers == {0, 1, 2}


@pytest.mark.parametrize("seed", range(12))
def test_a_bypassed_gate_changes_nothing_of_the_formula_and_matters_not_at_all(seed):
    like = LogicTree(inputs=3 + seed % 3, not_share=0.4, redundancy=(seed % 2) / 2, lapse=0.05)
    twin, rival = subject_of(like, seed), subject_of(BypassedGate(like), seed)
    intact = np.ones((1, rival.layout.n_areas), bool)
    assert np.array_equal(rival.layout.wanted, twin.layout.wanted)
    assert right_answers(rival.layout, intact).all()
    idle = [
        i for i in range(rival.layout.n_areas) if i not in rival.layout.outputs and not rival.layout.weights[i].any()
    ]
    if seed == 4:  # all its gates inhibit: nothing is left out
        assert np.array_equal(rival.layout.weights, twin.layout.weights)
        return
    assert len(idle) == 1
    assert on_in(rival.layout, rival.firing.lapse).mean(axis=0) == pytest.approx(
        on_in(twin.layout, np.full(len(intact[0]), 0.05)).mean(axis=0), abs=2e-3
    )
    if rival.layout.n_areas <= 10:
        assert shapley(rival.values)[idle] == pytest.approx(0, abs=1e-12)
        assert abs(shapley(twin.values)[idle[0]]) > 1e-3
        assert rival.values[-1] == pytest.approx(twin.values[-1], abs=4e-3)
        any_response = replace(rival.layout, wanted=np.ones_like(rival.layout.wanted))
        table = with_lapses(achieved(any_response, members(rival.layout.n_areas)), rival.firing.lapse)
        root = on_in(rival.layout, rival.firing.lapse)[:, rival.layout.outputs[0]]
        assert table[-1] == pytest.approx(root.mean())


def test_chains_cross_and_all_else_of_them_stays():
    like = StimulatedChain(pairs=2, links=2)
    twin, rival = (circuit.subject(stream(1, "subject")) for circuit in (like, CrossedChain(like)))
    (a, b, b2), (c, d, d2) = rival.chains[0]
    edges = {(int(i), int(j)) for i, j in zip(*np.nonzero(rival.weights), strict=True)}
    assert {(a, d), (d, d2), (c, b), (b, b2)} < edges
    assert len(edges) == np.count_nonzero(twin.weights) == 8
    assert rival.anatomy.equals(twin.anatomy)
    each = rival.truth("effect", None, stream(1))["response"].values
    assert min(each[a, d], each[c, b]) > 0.1 > max(each[a, b], each[c, d])
    counts = []
    for subject in (twin, rival):
        session = subject.session(trials=40, duration=1.0, rng=stream(2))
        counts.append(in_window(subject.run(session, stream(3)), 0.0, 1.0))
    # the noise is each neuron's own and the same in both: heads fire the very same spikes
    heads = rival.chains[:, :, 0].ravel()
    assert np.array_equal(counts[0][:, heads], counts[1][:, heads])
    error = np.sqrt(sum(c.var(axis=0) for c in counts) / 40)
    assert (np.abs(counts[0].mean(axis=0) - counts[1].mean(axis=0)) <= 4.5 * error).all()


@pytest.mark.parametrize(
    "rival", [NoRecovery(), Onlookers(), BothPathways(), DriverArea(), BypassedGate(LogicTree(inputs=4))]
)
def test_they_keep_the_contract(rival):
    assert simlab.check(rival, raises=False).ok
    assert len({rival.prior(stream(seed, "prior")) for seed in range(5)}) == 5
