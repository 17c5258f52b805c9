"""Betti numbers of planted state spaces."""

from __future__ import annotations

import numpy as np
import pytest
import ring_worlds

from methods.population.persistent_homology import (
    PersistentHomology,
    farthest_points,
    gumbel_tail,
    largest_gap,
    rips_lifetimes,
)
from simlab.data import missing, recording


def betti(finding: object) -> tuple[int, ...]:
    return tuple(finding.estimate[name] for name in ("b0", "b1", "b2"))  # type: ignore[attr-defined]


def test_a_circle_of_points_has_one_loop_of_the_analytic_lifetime() -> None:
    angle = np.arange(200) * 2 * np.pi / 200
    lifetimes = rips_lifetimes(np.c_[np.cos(angle), np.sin(angle)])
    # Vietoris-Rips of a unit circle: born at the spacing of the points, filled at sqrt(3) (Adamaszek & Adams 2017).
    assert lifetimes[1][0] == pytest.approx(np.sqrt(3) - 2 * np.sin(np.pi / 200), abs=0.05)
    assert len(lifetimes[1]) == 1


def test_farthest_points_cover_evenly() -> None:
    line = np.linspace(0, 1, 1001)[:, None]
    chosen = np.sort(farthest_points(line, 11, np.random.default_rng(0))[:, 0])
    # Gonzalez: the greedy cover is within twice the best, whose gaps are 0.1.
    assert np.diff(chosen).max() <= 0.2


def test_the_largest_gap_separates_two_long_bars_from_noise() -> None:
    assert largest_gap(np.array([1.0, 0.9, 0.2, 0.15, 0.1])) == 2
    assert largest_gap(np.zeros(0)) == 0


def test_gumbel_tail_matches_the_law_that_it_fits() -> None:
    maxima = np.random.default_rng(0).gumbel(1.0, 0.1, 4000)
    lifetime = 1.0 - 0.1 * np.log(-np.log(0.95))
    assert gumbel_tail(np.array([lifetime]), maxima)[0] == pytest.approx(0.05, abs=0.01)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_planted_ring_is_a_ring(seed: int) -> None:
    finding = PersistentHomology(n_points=150).analyse(
        ring_worlds.ring_recording(seed, n_trials=40), np.random.default_rng(seed)
    )
    assert betti(finding) == (1, 1, 0)
    assert finding.confidence is not None
    assert finding.confidence > 0.5


def test_independent_units_make_a_ring_no_more_often_than_the_level() -> None:
    quick = PersistentHomology(n_points=120)
    rings = sum(
        betti(quick.analyse(ring_worlds.independent_recording(seed), np.random.default_rng(seed)))[1] > 0
        for seed in range(8)
    )
    # At the level of 0.05, P(more than 2 of 8) = 0.006.
    assert rings <= 2


def test_rates_serve_as_well_as_spikes() -> None:
    rng = np.random.default_rng(0)
    angle = ring_worlds.diffuse(rng, rng.uniform(0, 2 * np.pi, 40), 100, 0.5)[:, ::5]
    rate = ring_worlds.tuned_rates(angle, ring_worlds.preferred_angles(20)) + rng.normal(0, 2, (40, 20, 20))
    seen = recording(
        duration=1.0, n_units=20, n_trials=40, signal=rate, modality="rate", sample_time=np.arange(20) * 0.05
    )
    assert betti(PersistentHomology(n_points=150).analyse(seen, rng)) == (1, 1, 0)


@pytest.mark.parametrize(
    ("shape", "reason"), [({"n_units": 3}, "at least 5 units"), ({"n_trials": 1}, "at least 4 s of recording")]
)
def test_too_little_data_is_an_abstention_with_its_reason(shape: dict[str, int], reason: str) -> None:
    seen = ring_worlds.ring_recording(0, **shape)
    assert reason in missing(seen, PersistentHomology.needs)
    assert reason in PersistentHomology().analyse(seen, np.random.default_rng(0)).abstained


def test_silence_is_an_abstention() -> None:
    none = np.zeros(0)
    silent = recording(duration=10.0, n_units=10, n_trials=2, spikes=(none.astype(int), none, none.astype(int)))
    assert "units are active" in PersistentHomology().analyse(silent, np.random.default_rng(0)).abstained


def test_the_same_generator_gives_the_same_finding() -> None:
    seen = ring_worlds.ring_recording(0)
    first, second = (PersistentHomology(n_points=80).analyse(seen, np.random.default_rng(5)) for _ in range(2))
    assert first == second


@pytest.mark.slow
def test_two_angles_make_a_torus() -> None:
    seen = ring_worlds.torus_recording(0, n_units=120, n_trials=150)
    finding = PersistentHomology(n_points=400, n_points_voids=400).analyse(seen, np.random.default_rng(0))
    assert betti(finding) == (1, 2, 1)
