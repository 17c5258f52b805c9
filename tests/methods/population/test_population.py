"""The helpers that the population methods stand on."""

from __future__ import annotations

import numpy as np
import pytest
import ring_worlds

from methods.population._population import (
    circular_shift,
    lay_out,
    odds_of_significance,
    participation_ratio,
    significant_components,
    two_label_finding,
    unusable,
    varying,
    wrap,
)
from methods.population._ring_readout import activity, cue_at, dark_from, last_shown, learn_tuning
from simlab.contracts import Finding, Needs
from simlab.data import recording


def verdict(*candidates: str, probability: float) -> Finding:
    return two_label_finding({"candidates": candidates}, "ring attractor", "feedforward", probability, {})


def test_circular_shift_keeps_each_units_values_and_breaks_its_company() -> None:
    rng = np.random.default_rng(0)
    common = rng.normal(size=(2000, 1))
    x = np.repeat(common, 4, axis=1)
    shifted = circular_shift(x, rng)
    np.testing.assert_array_equal(np.sort(shifted, axis=0), np.sort(x, axis=0))
    # Correlations of 2000 independent pairs have sd 1/sqrt(2000) = 0.022.
    assert np.abs(np.corrcoef(shifted.T)[np.triu_indices(4, 1)]).max() < 0.12


def test_parallel_analysis_counts_planted_dimensions() -> None:
    rng = np.random.default_rng(1)
    latent, mixing = rng.normal(size=(1000, 3)), rng.normal(size=(3, 20))
    assert significant_components(latent @ mixing + rng.normal(size=(1000, 20)), 20, rng) == 3


def test_participation_ratio_of_equal_eigenvalues_is_their_number() -> None:
    assert participation_ratio(np.ones(7)) == pytest.approx(7.0)


def test_odds_are_even_at_the_level_of_the_test() -> None:
    assert odds_of_significance(0.05, 0.05) == pytest.approx(0.5)
    assert odds_of_significance(0.001, 0.05) > 0.95 > 0.1 > odds_of_significance(0.9, 0.05)


def test_a_finding_spreads_its_probability_over_the_candidates_in_their_order() -> None:
    finding = verdict("feedforward", "other", "ring attractor", probability=0.8)
    np.testing.assert_allclose(finding.estimate["probability"], [0.2, 0.0, 0.8])
    assert finding.estimate["label"] == "ring attractor"
    assert finding.confidence == pytest.approx(0.8)


def test_the_rival_gets_all_that_the_attractor_does_not() -> None:
    finding = verdict("ring attractor", "other", "feedforward", probability=0.1)
    np.testing.assert_allclose(finding.estimate["probability"], [0.1, 0.0, 0.9])
    assert finding.estimate["label"] == "feedforward"
    assert finding.confidence == pytest.approx(0.9)


def test_without_the_rival_the_rest_is_shared_and_only_the_attractor_can_be_named() -> None:
    finding = verdict("ring attractor", "common drive", "other", probability=0.8)
    np.testing.assert_allclose(finding.estimate["probability"], [0.8, 0.1, 0.1])
    assert finding.estimate["label"] == "ring attractor"
    against = verdict("ring attractor", "common drive", "other", probability=0.2).abstained
    assert "cannot tell common drive, other" in against
    alone = verdict("ring attractor", "common drive", probability=0.2)
    assert alone.estimate["label"] == "common drive"


@pytest.mark.parametrize("candidates", [(), ("balanced", "common drive"), ("ring attractor",)])
def test_candidates_without_the_attractor_or_nothing_else_are_an_abstention(candidates: tuple[str, ...]) -> None:
    assert "tells ring attractor from its rivals" in verdict(*candidates, probability=0.8).abstained


def test_units_that_are_silent_are_no_population() -> None:
    nothing = np.zeros(0)
    silent = recording(duration=10.0, n_units=10, n_trials=2, spikes=(nothing, nothing, nothing))
    assert "0 of 10 units are active" in unusable(silent, Needs(units=5)).abstained  # type: ignore[union-attr]
    assert "neither" in unusable(recording(duration=1.0, n_units=5, n_trials=1), Needs()).abstained  # type: ignore
    assert unusable(ring_worlds.ring_recording(0), Needs(units=5)) is None


CONSTANT = np.full((7, 9, 6), 0.1)  # its standard deviation rounds to 1.4e-17


def test_units_whose_signal_never_changes_are_no_population() -> None:
    assert (CONSTANT.reshape(-1, 6).std(axis=0) > 0).all()
    seen = recording(
        duration=9.0, n_units=6, n_trials=7, signal=CONSTANT, modality="rate", sample_time=np.arange(9) + 0.5
    )
    assert "0 of 6 units are active" in unusable(seen, Needs(units=5)).abstained  # type: ignore[union-attr]


def test_units_that_vary_are_those_whose_range_is_not_nothing() -> None:
    values = CONSTANT.copy()
    values[3, 4, 1] += 1e-9
    values[0, 0, 2] = np.nan
    values[0, 0, 4], values[0, 1, 4] = np.nan, 0.3
    np.testing.assert_array_equal(varying(values), [False, True, False, False, True, False])
    assert not varying(np.zeros((0, 3, 6))).any()
    values[3, 4, 1] = 0.5
    x = lay_out(values)  # a unit with gaps has no z-scores
    assert x.shape == (63, 1)
    assert (x.mean(), x.std()) == (pytest.approx(0, abs=1e-9), pytest.approx(1))


def test_the_dark_begins_when_the_cue_ends() -> None:
    seen = ring_worlds.ring_recording(0)
    _, times = activity(seen)
    assert dark_from(cue_at(seen, times), times) == pytest.approx(ring_worlds.CUE, abs=0.05)


def test_the_last_angle_shown_is_held_in_the_dark() -> None:
    cue = np.array([[np.nan, 1.0, np.nan, 2.0, np.nan], [3.0, np.nan, np.nan, np.nan, np.nan]])
    np.testing.assert_array_equal(last_shown(cue), [[np.nan, 1, 1, 2, 2], [3, 3, 3, 3, 3]])


@pytest.mark.parametrize("n_trials", [7, 20])
def test_preferred_angles_are_learnt_from_a_few_cues(n_trials: int) -> None:
    rng = np.random.default_rng(3)
    preferred = ring_worlds.preferred_angles(20)
    cue = np.arange(n_trials) * 2 * np.pi / n_trials
    angle = ring_worlds.diffuse(rng, cue, 200, 0.12)
    seen = ring_worlds.poisson_recording(ring_worlds.tuned_rates(angle, preferred), rng, cue)
    values, times = activity(seen)
    tuning = learn_tuning(values, cue_at(seen, times), spiking=True)
    # Grid of 5 degrees; 1.75 s x n_trials of about 10 Hz leave a few degrees of error per unit.
    assert np.degrees(np.abs(wrap(tuning.preferred - preferred))).mean() < 12.0
    error = wrap(tuning.decode(values) - angle[:, 2::5])
    assert np.degrees(np.sqrt((error**2).mean())) < 15.0


def test_without_a_cue_the_angle_is_found_up_to_rotation_and_reflection() -> None:
    rng = np.random.default_rng(4)
    angle = ring_worlds.diffuse(rng, rng.uniform(0, 2 * np.pi, 40), 200, 0.12)
    rates = ring_worlds.tuned_rates(angle, ring_worlds.preferred_angles(20))
    values, times = activity(seen := ring_worlds.poisson_recording(rates, rng))
    decoded = learn_tuning(values, cue_at(seen, times), spiking=True).decode(values)
    true = angle[:, 2::5]
    agreement = max(np.abs(np.exp(1j * (decoded - sign * true)).mean()) for sign in (1, -1))
    assert agreement > 0.95
