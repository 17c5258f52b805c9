"""Groups of units, and trials in which pre answered against those in which it did not."""

from __future__ import annotations

import numpy as np
import pytest
from pulse_rigs import PulseRig, sparse

from methods.intervention.difference_in_differences import DifferenceInDifferences
from simlab.contracts import Budget


def found(rig: PulseRig, seed: int = 0):
    return DifferenceInDifferences(group_share=0.25).investigate(rig, np.random.default_rng(seed))


def test_planted_effects_are_found_with_their_size():
    finding = found(PulseRig(sparse()))
    assert np.array_equal(finding.estimate["decided"], sparse() > 0)
    # pre answers in a quarter of 3000 trials; the change has a standard deviation of 1.4: +- 0.06, six times
    assert finding.estimate["response"][sparse() > 0] == pytest.approx(0.46, abs=0.25)
    assert np.mean(finding.notes["answers"]) > 0.9


def test_trials_that_are_livelier_than_others_are_no_effect():
    """All rates rise and fall together: units fire more where pre answers, before the pulse as after it."""
    lively = {"liveliness": 0.7, "rate": 30.0, "remaining": Budget(400, 400.0, 400)}
    worlds = [found(PulseRig(np.zeros((6, 6)), seed=seed, **lively), seed) for seed in range(30)]
    # Binomial(30, 0.05): more than 5 has a chance of 0.003
    assert sum(finding.estimate["decided"].any() for finding in worlds) <= 5


def test_too_small_a_budget_is_an_abstention_that_spends_nothing():
    rig = PulseRig(sparse(), remaining=Budget(40, 40.0, 40))
    assert "50 are the fewest" in found(rig).abstained
    assert not rig.sessions
