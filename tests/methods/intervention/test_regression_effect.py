"""The observational estimate: right where nothing confounds, wrong where rates rise and fall together."""

from __future__ import annotations

import numpy as np
import pytest
from pulse_rigs import sparse, world
from scipy.stats import linregress

from methods.intervention._pulses import effects
from methods.intervention.regression_effect import RegressionEffect, regression
from simlab.data import recording
from simlab.session import Session

BRIEF = {"pulse_duration": 0.001, "response_window": 0.05}
"""Moments so short that what a spike causes comes after its own moment."""


def answered(passed: np.ndarray, seed: int = 0, trials: int = 300, **given: float):
    seen = world(passed, Session(trials, 1.0), np.random.default_rng(seed), **given)
    return RegressionEffect(pulse_size=1.0).analyse(seen.assign_attrs(brief=BRIEF), np.random.default_rng(0))


def test_planted_effects_are_found_with_their_size():
    estimate = answered(sparse(4), trials=600).estimate
    assert estimate["decided"][sparse(4) > 0].all()
    assert estimate["decided"][sparse(4) == 0].sum() <= 1  # a false discovery rate of 5% allows for one beside two
    # 12000 moments hold 120 of a unit's spikes, and counts have a standard deviation of 0.8: +- 0.075
    assert estimate["response"][sparse(4) > 0] == pytest.approx(0.5, abs=0.35)


def test_units_that_know_nothing_of_one_another_have_no_effects():
    found = [answered(np.zeros((5, 5)), seed, trials=40).estimate["decided"].any() for seed in range(30)]
    assert sum(found) <= 5  # Binomial(30, 0.05): more than 5 has a chance of 0.003


def test_rates_that_rise_and_fall_together_are_held_for_effects():
    assert answered(np.zeros((5, 5)), trials=300, liveliness=1.0).estimate["decided"].mean() > 0.5


def test_slope_and_p_are_those_of_scipy():
    rng = np.random.default_rng(0)
    now, later = rng.poisson(1.0, (80, 3)).astype(float), rng.normal(size=(80, 3))
    found = regression(now, later, 2.0)
    reference = linregress(now[:, 0], later[:, 2])
    assert found.difference[0, 2] == pytest.approx(2 * reference.slope)
    assert effects(found, 0.05).estimate["p"][0, 2] == pytest.approx(reference.pvalue)


def test_a_signal_slower_than_the_pulse_and_too_short_a_recording_are_abstentions():
    slow = recording(
        duration=2.0, n_units=3, n_trials=4, signal=np.zeros((4, 20, 3)), modality="rate",
        sample_time=np.arange(20) * 0.1,
    )  # fmt: skip
    assert "no sample" in RegressionEffect().analyse(slow, np.random.default_rng(0)).abstained
    brief = world(sparse(), Session(2, 0.2), np.random.default_rng(0))
    assert "needs 20 windows" in RegressionEffect().analyse(brief, np.random.default_rng(0)).abstained
