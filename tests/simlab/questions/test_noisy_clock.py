"""What the example circuit says of itself, held against what it does: each truth by another route."""

from __future__ import annotations

from itertools import combinations
from math import factorial

import numpy as np
import pytest
import six_questions
import xarray as xr

from simlab.data import bin_spikes, mean_rates
from simlab.instruments.recording.perfect import Perfect
from simlab.session import Effect

six_questions.importable()

from more_questions.methods import ParallelAnalysis, PrincipalComponents, SpikeTriggeredAverage  # noqa: E402
from more_questions.noisy_clock import LAGS, STEP, NoisyClock, StoppedClock  # noqa: E402


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def subject():
    return NoisyClock(n_neurons=20).subject(rng(1))


@pytest.fixture(scope="module")
def activity(subject) -> xr.Dataset:
    session = subject.session(trials=300, duration=2.0, rng=rng(2))
    return subject.run(session, rng(3))


def seen(subject, activity: xr.Dataset, **brief) -> xr.Dataset:
    implant = Perfect().implant(subject.anatomy, rng())
    return implant.record(activity, rng()).assign_attrs(brief=brief)


def test_counts_regressed_on_the_told_latents_give_the_loadings_back(subject, activity):
    latent = subject.truth("clock_latents", activity, rng())["latent"].values.reshape(-1, 4)
    counts = bin_spikes(activity, STEP).values.reshape(-1, 20)
    design = np.column_stack([np.ones(len(latent)), latent])
    fitted = np.linalg.lstsq(design, counts, rcond=None)[0][1:].T / (subject.base[:, None] * STEP)
    # counts of mean 0.75 in 12000 steps: a slope's standard error is 1 / sqrt(0.75 x 12000 x 0.5) = 0.015
    np.testing.assert_allclose(fitted, subject.loadings, atol=0.07)


def test_the_spike_triggered_average_points_along_the_told_filter(subject, activity):
    told = subject.truth("clock_filter", activity, rng())["filter"].values[:, :, 0]
    recorded = seen(subject, activity, lags=tuple(LAGS))
    found = SpikeTriggeredAverage().analyse(recorded, rng()).estimate["filter"][:, :, 0]
    cosines = (told * found).sum(1) / np.linalg.norm(told, axis=1) / np.linalg.norm(found, axis=1)
    assert cosines.min() > 0.95


def test_inhibitory_neurons_are_the_fast_ones(subject, activity):
    inhibitory = subject.truth("clock_type", activity, rng())["cell_type"].values == "I"
    assert inhibitory.sum() == 4
    np.testing.assert_allclose(mean_rates(activity), np.where(inhibitory, 45, 15), rtol=0.06)


def test_the_limit_cycle_turns_once_a_second_and_the_ring_attractor_does_not():
    for circuit, turn in ((NoisyClock(), 2 * np.pi * STEP), (StoppedClock(), 0.0)):
        one = circuit.subject(rng(4))
        phase = one.run(one.session(trials=100, duration=2.0, rng=rng(5)), rng(6))["phase"].values
        step = np.diff(phase, axis=1)
        assert step.mean() == pytest.approx(turn, abs=4 * 0.7 * np.sqrt(STEP / step.size))
        assert step.std() == pytest.approx(0.7 * np.sqrt(STEP), rel=0.05)


def test_noise_free_rates_move_in_the_told_number_of_dimensions(subject, activity):
    session = subject.session(trials=20, duration=2.0, rng=rng(7))
    factors = subject.factors(rng(8).uniform(0, 7, (20, 40)), session.stimulus.values[:, :, 0])
    rates = subject._rates(session, factors, np.arange(40) * STEP).reshape(-1, 20)
    assert rates.min() > 0
    dimension = int(subject.truth("clock_dimensionality", activity, rng())["dimension"])
    assert np.linalg.matrix_rank(rates - rates.mean(0)) == dimension == 4


def test_importances_are_the_shapley_values_of_silencing_in_simulation():
    """All 2^4 sets of neurons are left to fire; the behaviour's mean is the worth of a set."""
    small = NoisyClock(n_neurons=4, n_readers=2).subject(rng(9))
    session = small.session(trials=150, duration=2.0, rng=rng(10))

    def worth(alive: tuple[int, ...]) -> float:
        silent = np.where(np.isin(np.arange(4), alive), 0.0, -10.0)
        return float(small.run(session.perturbed(Effect("drive", silent, 0.0, 2.0)), rng(11))["behaviour"].mean())

    worths = {s: worth(s) for k in range(5) for s in combinations(range(4), k)}
    shapley = np.zeros(4)
    for alive, value in worths.items():
        for i in set(range(4)) - set(alive):
            weight = factorial(len(alive)) * factorial(3 - len(alive)) / factorial(4)
            shapley[i] += weight * (worths[tuple(sorted((*alive, i)))] - value)
    told = small.truth("clock_importance", None, rng())["importance"].values
    # Poisson counts of >= 15 Hz x 300 s: a relative error of 1 / sqrt(4500) = 0.015, and x averages out less well
    np.testing.assert_allclose(shapley, told, atol=0.07)


def test_a_held_neuron_fires_at_the_rate_it_is_held_at(subject):
    session = subject.session(trials=100, duration=2.0, rng=rng(12))
    held = Effect("hold", np.where(np.arange(20) == 3, 80.0, np.nan), 0.0, 2.0)
    assert mean_rates(subject.run(session.perturbed(held), rng(13)))[3] == pytest.approx(80, rel=0.05)


def test_the_rival_has_the_clocks_rates_and_keeps_its_size():
    clock = NoisyClock(n_neurons=12, rate_e=9.0)
    rival = StoppedClock().imitating(clock)
    assert (rival.n_neurons, rival.rate_e, rival.frequency) == (12, 9.0, 0.0)
    np.testing.assert_array_equal(np.sort(rival.subject(rng()).base), np.sort(clock.subject(rng()).base))


def test_latents_need_the_activity_that_they_are_of(subject):
    with pytest.raises(LookupError, match="activity"):
        subject.truth("clock_latents", None, rng())


def test_the_phase_reaches_no_recording(subject, activity):
    assert "phase" in activity.coords
    assert "phase" not in seen(subject, activity).variables


def test_with_many_neurons_components_are_the_latents_and_are_counted_right():
    """600 neurons carry 32 times a count's noise along each factor of the phase, 12 or more along the light's."""
    many = NoisyClock(n_neurons=600).subject(rng(14))
    done = many.run(many.session(trials=30, duration=2.0, rng=rng(15)), rng(16))
    from more_questions.clock_latents import Latents

    told = many.truth("clock_latents", done, rng())
    recorded = seen(many, done, **Latents().brief((), told))
    scores = Latents().score(PrincipalComponents().analyse(recorded, rng()), told)
    assert scores["r2"] > 0.9
    assert ParallelAnalysis(shuffles=3).analyse(recorded, rng()).estimate["dimension"] == 4
