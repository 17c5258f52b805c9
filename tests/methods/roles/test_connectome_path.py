"""Paths of a connectome: all that could be used, whether it is or not."""

from __future__ import annotations

import numpy as np
import pytest

import simlab
from methods.roles.connectome_path import ConnectomePath
from simlab.data import recording


def wired(n_units: int, *pairs: tuple[int, int], contacts: int = 3):
    counts = np.zeros((n_units, n_units), int)
    for pre, post in pairs:
        counts[pre, post] = contacts
    return recording(duration=1.0, n_units=n_units, n_trials=1, contacts=counts)


@pytest.mark.parametrize(
    ("pairs", "members"),
    [
        (((0, 2), (1, 2)), [1, 1, 1, 0, 0]),  # both of two that do the same; bystanders not
        (((0, 1), (1, 2), (1, 3)), [1, 1, 1, 1, 0]),  # a follower that nobody listens to is an end of its own
        (((0, 1), (1, 2), (2, 0)), [1, 1, 1, 0, 0]),  # a loop is input and output at once
        (((0, 1), (1, 2), (2, 1), (2, 3)), [1, 1, 1, 1, 0]),  # a loop on the way
    ],
)
def test_members_are_on_a_way_from_an_end_to_an_end(pairs, members):
    finding = simlab.analyse(ConnectomePath(), wired(5, *pairs))
    assert finding.estimate["members"].tolist() == [bool(m) for m in members]
    assert np.argwhere(finding.estimate["edges"]).tolist() == sorted(map(list, pairs))


def test_who_lies_between_scores_highest():
    score = simlab.analyse(ConnectomePath(), wired(5, (0, 2), (1, 2), (2, 3))).estimate["score"]
    assert np.argmax(score) == 2
    # two come before unit 2 and one after it, of 4 x 4 pairs; and 1 for being on a path
    assert score[2] == pytest.approx(1 + 2 / 16)
    assert score[4] == 0


def test_synapses_below_the_threshold_are_no_path():
    assert "there is no path" in simlab.analyse(ConnectomePath(), wired(3, (0, 1), contacts=1)).abstained
    assert simlab.analyse(ConnectomePath(min_contacts=1), wired(3, (0, 1), contacts=1)).estimate["members"].sum() == 2
