"""The verdict from noise correlations."""

from __future__ import annotations

import numpy as np
import ring_worlds

from methods.population.noise_correlation_structure import NoiseCorrelationStructure


def test_a_displaced_bump_is_called_an_attractor() -> None:
    for seed in range(4):
        seen = ring_worlds.ring_recording(seed, n_trials=40)
        finding = NoiseCorrelationStructure().analyse(seen, np.random.default_rng(seed))
        assert finding.estimate["label"] == "ring attractor"
        assert finding.notes["tuning_similarity"] > 0.2


def test_it_works_without_a_cue() -> None:
    seen = ring_worlds.ring_recording(2, n_trials=40, shown=False)
    finding = NoiseCorrelationStructure().analyse(seen, np.random.default_rng(0))
    assert finding.estimate["label"] == "ring attractor"


def test_tuned_units_with_independent_noise_are_not() -> None:
    called = 0
    for seed in range(12):
        seen = ring_worlds.ring_recording(seed, n_trials=40, diffusion=0.0)
        finding = NoiseCorrelationStructure().analyse(seen, np.random.default_rng(seed))
        called += finding.estimate["label"] == "ring attractor"
    # Both tests must pass at 0.05; P(more than 3 of 12) < 0.002 even if they were one.
    assert called <= 3


def test_a_cue_that_stays_leaves_correlations_around_it() -> None:
    rng = np.random.default_rng(0)
    cue = rng.uniform(0, 2 * np.pi, 40)
    jittered = np.repeat((cue + rng.normal(0, 0.3, 40))[:, None], 100, axis=1)
    seen = ring_worlds.poisson_recording(ring_worlds.tuned_rates(jittered, ring_worlds.preferred_angles(20)), rng, cue)
    seen["stimulus"][:] = cue[:, None, None]
    finding = NoiseCorrelationStructure().analyse(seen, np.random.default_rng(0))
    assert finding.estimate["label"] == "ring attractor"


def test_too_few_trials_are_an_abstention() -> None:
    finding = NoiseCorrelationStructure().analyse(ring_worlds.ring_recording(0, n_trials=5), np.random.default_rng(0))
    assert "trials" in finding.abstained
