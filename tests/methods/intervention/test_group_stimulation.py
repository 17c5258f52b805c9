"""Random groups and a sparse regression, in more trials than units and in fewer."""

from __future__ import annotations

import numpy as np
import pytest
from pulse_rigs import PulseRig, sparse

from methods.intervention.group_stimulation import GroupStimulation, sparse_regression
from simlab.contracts import Budget


def test_planted_effects_are_found_with_their_size():
    finding = GroupStimulation(group_share=0.25).investigate(PulseRig(sparse()), np.random.default_rng(0))
    assert np.array_equal(finding.estimate["decided"], sparse() > 0)
    # in a quarter of 3000 trials; counts have a standard deviation of 1.1 beside their own pulse: +- 0.05, five times
    assert finding.estimate["response"][sparse() > 0] == pytest.approx(0.48, abs=0.25)
    assert finding.notes["group"] == pytest.approx(2, abs=0.1)


def test_fewer_trials_than_units_suffice_where_few_units_matter():
    rng = np.random.default_rng(1)
    aimed = rng.random((120, 200)) < 0.1
    true = np.zeros((200, 200))
    true[3, 7], true[11, 7], true[5, 9] = 2.0, -2.0, 3.0
    response, kept = sparse_regression(aimed, aimed @ true + 0.3 * rng.standard_normal((120, 200)), 0.05)
    assert np.array_equal(kept, true != 0)
    # each coefficient is known to 0.3 / sqrt(120 x 0.09) = 0.09
    assert response[true != 0] == pytest.approx(true[true != 0], abs=0.4)


def test_among_units_that_know_nothing_of_one_another_one_world_in_twenty_has_a_discovery():
    found = []
    for seed in range(40):
        rig = PulseRig(np.zeros((6, 6)), seed=seed, remaining=Budget(300, 300.0, 300))
        found.append(GroupStimulation().investigate(rig, np.random.default_rng(seed)).estimate["decided"].any())
    assert sum(found) <= 6  # Binomial(40, 0.05): more than 6 has a chance of 0.003


def test_too_small_a_budget_is_an_abstention_that_spends_nothing():
    rig = PulseRig(sparse(), remaining=Budget(40, 40.0, 40))
    assert "50 are the fewest" in GroupStimulation().investigate(rig, np.random.default_rng(0)).abstained
    assert not rig.sessions
