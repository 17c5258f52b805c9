"""Spikes at given rates: as many as asked for, as irregular, never within the dead time, and under effects."""

from __future__ import annotations

import numpy as np
import pytest

from simlab.contracts import SimlabError
from simlab.session import Effect, Session
from simlab.simulators.given_rates import renewal, renewal_between, spikes
from simlab.simulators.renewal import refractory_poisson


def intervals(columns: tuple[np.ndarray, np.ndarray, np.ndarray]) -> np.ndarray:
    trial, time, neuron = columns
    order = np.lexsort((time, neuron, trial))
    same = (np.diff(trial[order]) == 0) & (np.diff(neuron[order]) == 0)
    return np.diff(time[order])[same]


@pytest.mark.parametrize("cv", [0.4, 1.0, 1.4])
def test_rate_irregularity_and_dead_time_are_as_asked_for(cv: float) -> None:
    # 20 cells x 50 s x 40 Hz = 40,000 spikes: the mean's standard error is cv / 200, the cv's below 2% up to 1.4
    columns = renewal(np.full((4, 500, 5), 40.0), 0.1, 50.0, np.random.default_rng(1), interval_cv=cv, dead_time=2e-3)
    between = intervals(columns)
    assert len(columns[1]) / (20 * 50) == pytest.approx(40.0, rel=4 * cv / 200)
    assert between.std() / between.mean() == pytest.approx(cv, rel=0.06)
    assert between.min() >= 2e-3 * (1 - 1e-9)
    assert (np.diff(columns[0]) >= 0).all()


def test_spikes_follow_rates_that_change_from_the_first_bin_on() -> None:
    rate = 20 * (1 + np.sin(2 * np.pi * (np.arange(20) + 0.5) / 10))
    trial, time, neuron = renewal(
        np.broadcast_to(rate[None, :, None], (200, 20, 50)), 0.1, 2.0, np.random.default_rng(2), interval_cv=0.8
    )
    seen = np.histogram(time, 20, (0, 2))[0] / (200 * 50 * 0.1)
    np.testing.assert_allclose(seen, rate, atol=1.5)  # standard error .2 Hz; the dead time lags a little behind a slope
    assert set(np.unique(neuron)) == set(range(50))
    assert trial.max() == 199


def test_a_silent_cell_stays_silent_and_the_last_bin_may_stick_out() -> None:
    rates = np.stack([np.zeros(4), np.full(4, 30.0)], axis=-1)[None]
    _, time, neuron = renewal(rates, 0.3, 1.0, np.random.default_rng(3))
    assert len(time)
    assert set(neuron) == {1}
    assert time.max() < 1.0


@pytest.mark.parametrize("shape", [0.3, 1.0, 4.0])
def test_the_rate_is_exact_from_the_first_moment_on_and_follows_its_changes(shape: float) -> None:
    edges, steps = np.array([0.0, 0.02, 0.04, 0.06]), (100.0, 0.0, 100.0)
    rates = np.broadcast_to(np.array(steps)[:, None], (2000, 3, 4))
    trial, time, _ = renewal_between(edges, rates, np.full(4, shape), np.random.default_rng(1))
    assert trial.max() < 2000
    for start in (0.0, 0.001, 0.005, 0.015):  # a process that begins with a spike, or free to fire, would be off here
        found = np.sum((time >= start) & (time < start + 1e-3))
        assert found == pytest.approx(800, abs=4 * np.sqrt(800 * 1.1))
    assert not np.any((time >= 0.02) & (time < 0.04))  # waits stand still, and go on
    assert np.sum(time >= 0.04) == pytest.approx(np.sum(time < 0.02), rel=0.2)


def test_with_exponential_waits_it_is_the_refractory_poisson_process() -> None:
    rates, edges = [np.full((4000, 1), r) for r in (50.0, 150.0)], np.array([0.0, 0.05, 0.1])
    rng = np.random.default_rng(2)
    ours = renewal_between(edges, np.stack(rates, axis=1), np.ones(1), rng, dead_time=2e-3)
    theirs = refractory_poisson(rates, edges, 2e-3, rng)
    for start in np.arange(0, 0.1, 0.01):
        a, b = (np.sum((time >= start) & (time < start + 0.01)) for _, time, _ in (ours, theirs))
        assert abs(a - b) < 4 * np.sqrt(a + b)


def test_drives_and_holds_act_on_the_neurons_that_they_aim_at() -> None:
    session = Session(50, 1.0).perturbed(
        Effect("drive", np.array([2.0, 0.0, -9.0, 0.0]), 0.5, 1.0),
        Effect("hold", np.array([np.nan, np.nan, np.nan, 80.0]), 0.0, 0.5),
    )
    rates = np.full((50, 20, 4), 10.0)
    _, time, neuron = spikes(session, rates, 0.05, np.random.default_rng(4), drive_rate=20.0)
    early, late = (np.bincount(neuron[half], minlength=4) / 25 for half in (time < 0.5, time >= 0.5))
    np.testing.assert_allclose(early, [10, 10, 10, 80], atol=3)
    np.testing.assert_allclose(late, [50, 10, 0, 10], atol=3)


def test_rates_that_do_not_cover_the_session_are_refused() -> None:
    with pytest.raises(SimlabError, match="cover the session"):
        spikes(Session(2, 1.0), np.ones((2, 9, 3)), 0.1, np.random.default_rng(5))
