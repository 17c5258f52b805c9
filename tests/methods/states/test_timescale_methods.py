"""Branching ratios and time constants: right where they should be, biased where known to be, silent on noise."""

from functools import cache

import numpy as np
import pytest

from circuits.states.branching import Branching
from circuits.states.single_timescale import SingleTimescale
from methods.states.autocorrelation_fit import AutocorrelationFit
from methods.states.bayesian_timescale import BayesianTimescale
from methods.states.conventional_regression import ConventionalRegression
from methods.states.multistep_regression import MultistepRegression
from methods.states.subspace_timescale import SubspaceTimescale, time_constants
from simlab.checks.problem import spiking_recording
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.recording.subsample import Subsample
from simlab.session import Session

RNG = np.random.default_rng
STEP = {"step": 0.004}
QUICK = BayesianTimescale(n_kept=20, most_counts=15_000, generations=6)


@cache
def network(n_units):
    """250 s of 300 neurons with m = .95, of which some are seen."""
    subject = Branching(n_neurons=300, branching_ratio=0.95, mean_rate=5.0).subject(RNG(1))
    activity = subject.run(Session(100, 2.5), RNG(2))
    seen = Subsample(n_units=n_units).implant(subject.anatomy, RNG(3)).record(activity, RNG(4))
    return seen.assign_attrs(brief=STEP)


@cache
def population():
    """100 trials of a second of 20 neurons with a time constant of 100 ms."""
    circuit = SingleTimescale(n_neurons=20, timescale=0.1, mean_rate=30.0)
    subject = circuit.subject(RNG(1))
    return Perfect().implant(subject.anatomy, RNG(3)).record(subject.run(Session(100, 1.0), RNG(2)), RNG(4))


def poisson():
    return spiking_recording(40, 2.0).assign_attrs(brief=STEP)


def test_of_all_neurons_conventional_regression_is_right():
    found = ConventionalRegression().analyse(network(300), RNG(5)).estimate
    # Standard error of a slope m over n steps: sqrt((1 - m^2) / n) = .0012; of 300 neurons few fire twice in a step.
    assert found["ratio"] == pytest.approx(0.95, abs=0.015)
    assert found["low"] < found["ratio"] < found["high"]


def test_of_a_part_of_them_it_falls_as_theory_says_and_multistep_regression_does_not():
    # b = p v / (p v + 1 - p) with v = 1 / (1 - m^2), the variance over the mean, and p = 30 / 300
    share = 0.1 / (1 - 0.95**2)
    expected = 0.95 * share / (share + 0.9)
    assert ConventionalRegression().analyse(network(30), RNG(5)).estimate["ratio"] == pytest.approx(expected, abs=0.06)
    found = MultistepRegression().analyse(network(30), RNG(5))
    assert found.estimate["ratio"] == pytest.approx(0.95, abs=0.015)
    assert found.notes["timescale"] == pytest.approx(-0.004 / np.log(0.95), rel=0.3)


@pytest.mark.parametrize("method", [MultistepRegression(), AutocorrelationFit(), SubspaceTimescale(), QUICK])
def test_poisson_units_have_no_memory_to_measure(method):
    assert "no autocorrelation" in method.analyse(poisson(), RNG(5)).abstained


@pytest.mark.parametrize(
    "method", [ConventionalRegression(), MultistepRegression(), AutocorrelationFit(), SubspaceTimescale(), QUICK]
)
def test_trials_that_are_too_short_are_refused(method):
    short = spiking_recording(500, 0.06).assign_attrs(brief=STEP)
    assert "too short" in method.analyse(short, RNG(5)).abstained


def test_taking_each_trials_mean_away_makes_a_direct_fit_too_short():
    assert AutocorrelationFit().analyse(population(), RNG(5)).estimate["timescale"] < 0.085


def test_a_linear_system_with_the_same_autocovariance_is_not_biased_by_short_trials():
    found = SubspaceTimescale().analyse(population(), RNG(5)).estimate
    # 20 units x 100 trials x 10 time constants: some 5% standard error of a time constant
    assert found["timescale"] == pytest.approx(0.1, rel=0.15)
    assert found["low"] < found["timescale"] < found["high"]


def test_modes_of_an_exact_autocovariance_are_exact():
    lag = 0.02 * np.arange(1, 20)
    two = 0.7 * np.exp(-lag / 0.05) + 0.3 * np.exp(-lag / 0.3)
    np.testing.assert_allclose(time_constants(two, 2, 0.02), [0.3, 0.05])
    assert time_constants(1.1 ** np.arange(1.0, 20), 1, 0.02)[0] == np.inf


@pytest.mark.slow
def test_simulation_knows_what_short_trials_do():
    found = BayesianTimescale().analyse(population(), RNG(5)).estimate
    assert found["timescale"] == pytest.approx(0.1, rel=0.2)
    assert found["low"] < 0.1 < found["high"]
