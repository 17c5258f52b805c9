"""One pulse at a time: right where light keeps to its target, fooled where it does not."""

from __future__ import annotations

import numpy as np
import pytest
from pulse_rigs import PulseRig, lit_with, sparse

from methods.intervention.stimulate_and_average import StimulateAndAverage
from simlab.contracts import Budget
from simlab.data import recording


def found(rig: PulseRig, seed: int = 0):
    return StimulateAndAverage().investigate(rig, np.random.default_rng(seed))


def test_planted_effects_are_found_with_their_size():
    finding = found(PulseRig(sparse()))
    assert np.array_equal(finding.estimate["decided"], sparse() > 0)
    # of 3000 trials each unit is pulsed in 277, its target's count has a standard deviation of 1.2 or so: +- 0.08;
    # 4% of the pulses find the unit refractory
    assert finding.estimate["response"][sparse() > 0] == pytest.approx(0.48, abs=0.3)
    assert finding.notes["repeats"] == 277


def test_among_units_that_know_nothing_of_one_another_one_world_in_twenty_has_a_discovery():
    small = Budget(300, 300.0, 300)
    worlds = [found(PulseRig(np.zeros((6, 6)), seed=seed, remaining=small), seed) for seed in range(40)]
    # Binomial(40, 0.05): more than 6 has a chance of 0.003.
    assert sum(finding.estimate["decided"].any() for finding in worlds) <= 6
    covered = np.array([(f.estimate["low"] <= 0) & (f.estimate["high"] >= 0) for f in worlds])
    # 1200 intervals of 95%: +- 0.006, were they independent
    assert covered[:, ~np.eye(6, dtype=bool)].mean() == pytest.approx(0.95, abs=0.03)


def test_light_that_reaches_a_neighbour_lends_its_effect_to_the_target():
    decided = found(PulseRig(sparse(), light=lit_with(8, 0, 1))).estimate["decided"]
    assert decided[0, 3]  # what unit 1 does to unit 3
    assert decided[0, 1]  # light itself


def test_too_small_a_budget_is_an_abstention_that_spends_nothing():
    rig = PulseRig(sparse(), remaining=Budget(40, 40.0, 40))
    assert "40 pulsed trials, and 55 are the fewest" in found(rig).abstained
    assert not rig.sessions


def test_fluorescence_is_an_abstention():
    class Imaged(PulseRig):
        def record(self, session):
            return recording(
                duration=session.duration, n_units=8, n_trials=session.trials, modality="fluorescence",
                signal=np.zeros((session.trials, 2, 8)), sample_time=np.array([0.0, 0.03]),
            )  # fmt: skip

    assert "needs spikes or rate" in found(Imaged(sparse())).abstained
