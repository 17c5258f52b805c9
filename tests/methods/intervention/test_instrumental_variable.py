"""The refractory state as an instrument: right where light spreads, and in need of many trials."""

from __future__ import annotations

import numpy as np
import pytest
from pulse_rigs import PulseRig, lit_with, sparse

from methods.intervention.instrumental_variable import InstrumentalVariable
from methods.intervention.stimulate_and_average import StimulateAndAverage
from simlab.contracts import Budget

AMPLE = Budget(12_000, 12_000.0, 12_000)


def confounded(n_units: int = 6) -> PulseRig:
    """Units 0 and 1 are always lit together; 1 drives 2, and 0 drives nobody."""
    passed = np.zeros((n_units, n_units))
    passed[1, 2] = 1.0
    return PulseRig(passed, light=lit_with(n_units, 0, 1), rate=30.0, remaining=AMPLE)


@pytest.fixture(scope="module")
def finding():
    return InstrumentalVariable(group_share=0.2).investigate(confounded(), np.random.default_rng(0))


def test_the_unit_that_drives_is_told_from_the_one_that_is_lit_with_it(finding):
    decided = finding.estimate["decided"]
    assert decided[1, 2]
    assert not decided[0, 2]
    assert abs(finding.estimate["response"][0, 2]) < finding.estimate["response"][1, 2] / 2


def test_the_plain_average_cannot_tell_them_apart():
    plain = StimulateAndAverage(most_trials=2000).investigate(confounded(), np.random.default_rng(0))
    assert plain.estimate["decided"][[0, 1], 2].all()


def test_a_refractory_unit_loses_its_answer(finding):
    # One spike where only the unit itself is lit. Units 0 and 1 are lit in a fifth of the other trials too, when light
    # is aimed at their neighbour, and lose it there as well. 200 trials or so, of a standard deviation of 0.6: +- 0.04
    assert finding.notes["answer_lost"][3:] == pytest.approx([1.0] * 3, abs=0.2)
    assert finding.notes["answer_lost"][:2] == pytest.approx([0.8] * 2, abs=0.2)


def test_units_that_know_nothing_of_one_another_have_no_effects():
    found = []
    for seed in range(12):
        rig = PulseRig(np.zeros((5, 5)), rate=40.0, seed=seed, remaining=Budget(1500, 1500.0, 1500))
        found.append(InstrumentalVariable().investigate(rig, np.random.default_rng(seed)).estimate["decided"].any())
    assert sum(found) <= 3  # Binomial(12, 0.05): more than 3 has a chance of 0.002


def test_too_few_refractory_trials_are_an_abstention():
    rig = PulseRig(sparse(), rate=2.0, remaining=Budget(100, 100.0, 100))
    assert "instrument is too weak" in InstrumentalVariable().investigate(rig, np.random.default_rng(0)).abstained


def test_too_small_a_budget_is_an_abstention_that_spends_nothing():
    rig = PulseRig(sparse(), remaining=Budget(40, 40.0, 40))
    assert "50 are the fewest" in InstrumentalVariable().investigate(rig, np.random.default_rng(0)).abstained
    assert not rig.sessions
