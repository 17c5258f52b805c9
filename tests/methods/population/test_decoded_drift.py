"""The verdict from diffusion in the dark."""

from __future__ import annotations

import numpy as np
import pytest
import ring_worlds

from methods.population.decoded_drift import DecodedDrift, circular_variance


def test_circular_variance_of_a_wrapped_normal_is_its_variance() -> None:
    draws = np.exp(1j * np.random.default_rng(0).normal(0, 0.7, 100_000))
    # Standard error of the variance: 0.49 * sqrt(2 / 1e5) = 0.002.
    assert circular_variance(draws.mean()) == pytest.approx(0.49, abs=0.01)


def test_a_diffusing_angle_is_called_an_attractor_with_its_diffusion() -> None:
    found = [
        DecodedDrift().analyse(ring_worlds.ring_recording(seed, n_trials=40), np.random.default_rng(seed))
        for seed in range(6)
    ]
    assert all(finding.estimate["label"] == "ring attractor" for finding in found)
    # 40 trials of 1.75 s hold some 80 independent lags of 0.9 s: 16% of error each, 6% for six.
    assert np.mean([finding.notes["diffusion"] for finding in found]) == pytest.approx(0.12, rel=0.25)


@pytest.mark.parametrize("forgetful", ["independent", "fast"])
def test_an_angle_that_does_not_last_is_not(forgetful: str) -> None:
    for seed in range(4):
        seen = (
            ring_worlds.independent_recording(seed)
            if forgetful == "independent"
            else ring_worlds.ring_recording(seed, diffusion=50.0)
        )
        finding = DecodedDrift().analyse(seen, np.random.default_rng(seed))
        assert finding.estimate["label"] == "feedforward"


@pytest.mark.parametrize(
    ("shape", "reason"), [({"n_units": 3}, "units"), ({"n_trials": 4}, "trials"), ({"duration": 0.9}, "dark")]
)
def test_too_little_data_is_an_abstention(shape: dict[str, float], reason: str) -> None:
    finding = DecodedDrift().analyse(ring_worlds.ring_recording(0, **shape), np.random.default_rng(0))  # type: ignore
    assert reason in finding.abstained
