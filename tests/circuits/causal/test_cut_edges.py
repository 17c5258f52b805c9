"""Sets of connections: the table against every set simulated by itself with every set of lapses, and its limits."""

from __future__ import annotations

import numpy as np
import pytest

from circuits.causal.compensating import Compensating
from circuits.causal.cut_edges import can_be_cut, with_edges_cut
from circuits.causal.driver_area import DriverArea
from circuits.causal.elsewhere import Elsewhere
from circuits.causal.layout import achieved, with_weights
from circuits.causal.logic_tree import LogicTree
from circuits.causal.two_pathways import TwoPathways
from simlab.coalitions import members, minimal_sets, with_lapses
from simlab.errors import SimlabError
from simlab.streams import stream


def one_by_one(subject) -> np.ndarray:
    """(set of edges,) the other route: weights set to 0, and the expectation over all sets of lapsing areas."""
    pre, post = subject.edges
    found = []
    for kept in members(len(pre)):
        weights = subject.layout.weights.copy()
        weights[pre, post] *= kept
        table = achieved(with_weights(subject.layout, weights), members(subject.layout.n_areas))
        found.append(with_lapses(table, subject.firing.lapse)[-1])
    return np.array(found)


@pytest.mark.parametrize(
    "circuit",
    [
        LogicTree(inputs=3, not_share=0.5, lapse=0.2),
        TwoPathways(stages=2, correlation=0.4),
        Compensating(lapse=0.1, bystanders=0),
    ],
)
def test_every_set_of_connections_achieves_what_it_does_by_itself(circuit):
    subject = circuit.subject(stream(3, "subject"))
    assert subject.edge_values() == pytest.approx(one_by_one(subject), abs=1e-12)


def test_sixteen_connections_are_within_reach_and_all_of_a_tree_are_needed():
    subject = LogicTree(inputs=6, lapse=0.0).subject(stream(2, "subject"))
    pre, _post = subject.edges
    assert len(pre) > 8
    told = subject.truth("circuit", None, stream(0))
    assert told.sizes["edge_set"] == 2 ** len(pre)
    assert told["edge_value"].values[-1] == 1.0
    whole = minimal_sets(told["edge_value"].values, 1.0)
    assert whole.tolist() == [[True] * len(pre)]


def test_what_cannot_be_enumerated_is_refused_by_rule_and_left_out_of_the_truth():
    ring = LogicTree(inputs=3).subject(stream(0, "subject")).layout
    loop = with_weights(ring, np.eye(ring.n_areas, k=1) + np.eye(ring.n_areas, k=-1))
    pre, post = np.nonzero(loop.weights)
    assert not can_be_cut(loop, pre, post)
    with pytest.raises(SimlabError, match="none reaches itself"):
        with_edges_cut(loop, 0.0, pre, post)
    nobody = DriverArea(Elsewhere()).subject(stream(0, "subject"))  # all its connections lead to what is hidden
    assert "edge_value" not in nobody.truth("circuit", None, stream(0))
