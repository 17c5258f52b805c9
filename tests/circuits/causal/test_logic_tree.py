"""Random Boolean trees: the areas compute the formula, the table is what sessions show, and copies make redundant."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from lesion_tables import largest_z, measured

import simlab
from circuits.causal.logic_tree import MOST_AREAS, LogicTree, Node, every_pattern, layout_of
from circuits.causal.parts import Firing, PartsSubject
from simlab.coalitions import members, minimal_sets, shapley, single_losses
from simlab.streams import stream

A, B, C = (Node((i,)) for i in range(3))


@cache
def subject_of(circuit, seed: int = 1):
    return circuit.subject(stream(seed, "subject"))


def planted(tree: Node, n_inputs: int) -> PartsSubject:
    return PartsSubject("planted", layout_of(tree, n_inputs), Firing(40.0, 4.0, 0.0))


def test_it_keeps_the_contract():
    assert simlab.check(LogicTree(inputs=4), raises=False).ok


@pytest.mark.parametrize("seed", range(6))
def test_threshold_areas_compute_the_formula_and_copies_change_nothing_of_it(seed):
    """`wanted` is the formula, the table's last entry what the areas do."""
    for redundancy in (0.0, 1.0):
        subject = subject_of(LogicTree(5, not_share=0.4, redundancy=redundancy, lapse=0.0), seed)
        assert subject.layout.n_areas <= MOST_AREAS
        assert subject.values[-1] == 1.0
        called = subject.layout.wanted.mean()
        assert 0.15 < called < 0.85  # no constant answer does well
        assert measured(subject, sets=np.ones((1, subject.layout.n_areas), bool)).tolist() == [1.0]


def test_a_formula_worked_by_hand():
    """(a OR NOT b) AND c: right without b where it is on and a is off, in one pattern of eight with c, and so on."""
    tree = Node((0, 1, 2), "and", (Node((0, 1), "or", (A, Node((1,), inverts=True))), C))
    says = tree.says(every_pattern(3).T)
    assert every_pattern(3)[[1, 4]].tolist() == [[False, False, True], [True, False, False]]
    assert says.tolist() == [False, True, False, False, False, True, False, True]
    subject = planted(tree, 3)
    assert subject.layout.names == ("input 0", "input 1", "or 2", "input 2", "and 4")
    # without a, (NOT b) AND c: wrong in abc. Without b, c alone: wrong in (not a)bc. Without or, c or and: never
    assert single_losses(subject.values).tolist() == [1 / 8, 1 / 8, 3 / 8, 3 / 8, 3 / 8]


def test_either_copy_is_enough_and_both_are_needed_by_single_lesions_of_nobody():
    """a', a'' drive an area that the gate hears as it would hear a: as in `redundant`."""
    tree = Node((0, 1), "and", (Node((0,), twice=True), B))
    subject = planted(tree, 2)
    assert subject.layout.names == ("input 0'", "input 0''", "either 2", "input 1", "and 4")
    assert single_losses(subject.values).tolist() == [0, 0, 0.25, 0.25, 0.25]
    assert shapley(subject.values)[:2].min() > 0
    assert {tuple(np.flatnonzero(one)) for one in minimal_sets(subject.values, 0.9)} == {(0, 2, 3, 4), (1, 2, 3, 4)}


@pytest.mark.parametrize(("how", "every"), [("hold", 2), ("silence", 7)])
def test_sessions_with_sets_of_silenced_areas_give_the_table(how, every):
    subject = subject_of(LogicTree(3, not_share=0.4, redundancy=0.7, lapse=0.0), 2)
    assert 6 <= subject.layout.n_areas <= 9
    sets = slice(1, None, every)
    found = measured(subject, how=how, sets=members(subject.layout.n_areas)[sets])
    assert np.array_equal(found, subject.values[sets])


def test_lapses_lower_the_table_as_they_lower_what_sessions_show():
    subject = subject_of(LogicTree(3, not_share=0.4, lapse=0.2), 2)
    trials = 25 * 8
    # patterns differ, so that outcomes vary less than those of coins of the mean: 4.5 is as for 64 sets or more
    assert largest_z(measured(subject, 25), subject.values, trials) < 4.5


def test_redundancy_takes_the_effect_from_single_lesions_of_inputs():
    """Mean loss of single lesions of inputs, of as many subjects: copies are silenced one at a time without loss."""

    def loss(redundancy: float) -> float:
        each = []
        for seed in range(10):
            subject = subject_of(LogicTree(4, redundancy=redundancy, lapse=0.0), seed)
            inputs = [name.startswith("input") for name in subject.layout.names]
            each.append(single_losses(subject.values)[inputs].mean())
        return float(np.mean(each))

    assert loss(0.0) > 2 * loss(1.0)


def test_gates_and_signs_come_as_often_as_asked_and_every_subject_has_a_tree_of_its_own():
    trees = [LogicTree(6, or_share=0.5, not_share=0.3).tree(stream(s, "subject")) for s in range(40)]
    assert len(set(trees)) == 40
    gates = [node for tree in trees for node in nodes(tree) if node.children]
    heard = [child for gate in gates for child in gate.children]
    # taking the most even of 30 trees shifts shares a little; 150 gates and 350 children
    assert np.mean([gate.kind == "or" for gate in gates]) == pytest.approx(0.5, abs=0.15)
    assert np.mean([child.inverts for child in heard]) == pytest.approx(0.3, abs=0.12)
    assert not any(node.twice for tree in trees for node in nodes(tree))


def nodes(tree: Node) -> list[Node]:
    return [tree, *(below for child in tree.children for below in nodes(child))]


@pytest.mark.parametrize("redundancy", [0.0, 0.6])
def test_ten_inputs_are_enumerated_within_sixteen_areas(redundancy):
    for seed in range(8):
        tree = LogicTree(10, redundancy=redundancy).tree(stream(seed, "subject"))
        assert 11 < tree.areas <= MOST_AREAS
        assert sorted(tree.inputs) == list(range(10))
    assert layout_of(tree, 10).patterns.shape == (1024, tree.areas)


def test_the_prior_draws_trees():
    drawn = [LogicTree().prior(stream(s, "prior")) for s in range(20)]
    assert len(set(drawn)) == 20
    assert {circuit.inputs for circuit in drawn} == {3, 4, 5, 6}
