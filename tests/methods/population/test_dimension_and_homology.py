"""The verdict from shape."""

from __future__ import annotations

import numpy as np
import ring_worlds

from methods.population.dimension_and_homology import DimensionAndHomology


def test_a_ring_of_states_is_called_an_attractor_though_no_unit_talks_to_another() -> None:
    # The recording is Poisson units tuned to an outside angle: the verdict is the field's argument, not the truth.
    finding = DimensionAndHomology().analyse(ring_worlds.ring_recording(1, n_trials=40), np.random.default_rng(0))
    assert finding.estimate["label"] == "ring attractor"
    assert finding.notes["betti"] == (1, 1, 0)
    assert 2 <= finding.notes["significant_components"] <= 6


def test_independent_units_are_not_called_an_attractor() -> None:
    finding = DimensionAndHomology().analyse(ring_worlds.independent_recording(0), np.random.default_rng(0))
    assert finding.estimate["label"] == "feedforward"
    assert finding.estimate["probability"].sum() == 1.0


def test_the_verdict_follows_the_shape_even_where_that_is_doubtful() -> None:
    for seed in range(4):
        finding = DimensionAndHomology().analyse(
            ring_worlds.ring_recording(seed, n_trials=10, n_units=10), np.random.default_rng(seed)
        )
        ring = finding.notes["betti"] == (1, 1, 0) and finding.notes["significant_components"] > 1
        assert (finding.estimate["label"] == "ring attractor") == ring


def test_it_abstains_where_homology_does() -> None:
    finding = DimensionAndHomology().analyse(ring_worlds.ring_recording(0, n_units=3), np.random.default_rng(0))
    assert finding.abstained
