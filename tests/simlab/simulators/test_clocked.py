"""Clocked networks against a loop that is too simple to be wrong, and against what chance must give."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from simlab.contracts import SimlabError
from simlab.session import Effect, Session
from simlab.simulators.clocked import ClockedInput, ClockedNetwork, onsets, run

N, TRIALS, TICKS, TICK = 25, 3, 40, 1e-3
SESSION = Session(TRIALS, TICKS * TICK)


def random_network(seed=0, **more):
    rng = np.random.default_rng(seed)
    weights = rng.integers(-2, 3, (N, N)) * (rng.random((N, N)) < 0.3)
    return ClockedNetwork.of(weights.astype(float), rng.integers(-2, 2, N) + 0.5, TICK, **more)


def random_input(seed=1):
    """Two patterns of seven steps, three ticks each; the last one stays for the other nineteen ticks."""
    values = np.random.default_rng(seed).integers(-1, 2, (2, 7, N)).astype(float)
    return ClockedInput(values, np.array([0, 1, 0]), 3)


def brute_force(network, given, *, drive=None, hold=None, gain=None, start=0):
    """The equation of the engine, tick by tick and trial by trial, at temperature 0.

    drive, gain (tick, trial, pre, post) and hold (True, False or None) are functions of tick and trial.
    """
    states = np.zeros((TRIALS, TICKS, N), bool)
    for trial in range(TRIALS):
        x = np.zeros(N) + start
        for tick in range(TICKS):
            step = min(tick // given.ticks, given.values.shape[1] - 1)
            weights = network.matrix() * (1.0 if gain is None else gain(tick, trial))
            h = x @ weights + given.values[given.pattern[trial], step]
            h = h + (0.0 if drive is None else network.rheobase * drive(tick, trial))
            x = (h > network.threshold).astype(float)
            held = np.full(N, np.nan) if hold is None else hold(tick, trial)
            x = np.where(np.isnan(held), x, held)
            states[trial, tick] = x
    return states


def test_every_state_is_that_of_the_equation():
    network, given = random_network(), random_input()
    states = run(network, given, SESSION, 0)
    np.testing.assert_array_equal(states, brute_force(network, given))
    assert 0.1 < states.mean() < 0.9
    begun = run(network, given, SESSION, 0, start=np.ones(N))
    np.testing.assert_array_equal(begun, brute_force(network, given, start=1))
    np.testing.assert_array_equal(run(network, given, SESSION, 0, watched=[7, 2]), states[:, :, [7, 2]])
    assert not np.array_equal(begun, states)


def test_effects_act_in_their_window_and_on_their_trials_alone():
    network, given = random_network(rheobase=2.0), random_input()
    rng = np.random.default_rng(2)
    driven, held = rng.normal(size=N), np.where(rng.random(N) < 0.3, rng.integers(0, 2, N) / TICK, np.nan)
    per_unit, per_pair = rng.integers(0, 2, N).astype(float), rng.integers(0, 3, (N, N)).astype(float)
    session = SESSION.perturbed(
        Effect("drive", driven, 0.005, 0.020, trials=(0, 2)),
        Effect("hold", held, 0.010, 0.025, trials=(1,)),
        Effect("gain", per_unit, 0.008, 0.030),
        Effect("gain", per_pair, 0.028, 0.035, trials=(2,), over="pair"),
    )

    def gain(tick, trial):
        factor = np.ones((N, N))
        factor = factor * per_unit[:, None] if 8 <= tick < 30 else factor
        return factor * per_pair if 28 <= tick < 35 and trial == 2 else factor

    expected = brute_force(
        network,
        given,
        drive=lambda tick, trial: driven * (5 <= tick < 20 and trial != 1),
        hold=lambda tick, trial: held * TICK if 10 <= tick < 25 and trial == 1 else np.full(N, np.nan),
        gain=gain,
    )
    states = run(network, given, session, 0)
    np.testing.assert_array_equal(states, expected)
    assert (states != run(network, given, SESSION, 0)).any(axis=(1, 2)).all()


def test_a_silenced_unit_is_one_held_at_zero_whatever_else_is_done_to_it():
    network, given = random_network(), random_input()
    silenced = np.random.default_rng(3).random((TRIALS, N)) < 0.2
    drive = Effect("drive", np.full(N, 9.0), 0.0, 0.02)
    by_hold = SESSION.perturbed(
        drive, *(Effect("hold", np.where(silenced[k], 0.0, np.nan), 0.0, 0.04, trials=(k,)) for k in range(TRIALS))
    )
    states = run(network, given, SESSION.perturbed(drive), 0, silenced=silenced)
    np.testing.assert_array_equal(states, run(network, given, by_hold, 0))
    assert not states.transpose(0, 2, 1)[silenced].any()


def test_a_warm_unit_is_on_as_often_as_its_input_says():
    h = np.linspace(-3, 3, N)
    network = ClockedNetwork.of(np.zeros((N, N)), np.full(N, 1.0), TICK, temperature=0.7)
    session, given = Session(40, 0.5), ClockedInput(h[None, None], np.zeros(40, int))
    states = run(network, given, session, 5)
    expected = 1 / (1 + np.exp(-(h - 1.0) / 0.7))
    error = np.sqrt(expected * (1 - expected) / states[:, :, 0].size)
    assert (np.abs(states.mean(axis=(0, 1)) - expected) < 4.5 * error).all()  # p = 7e-6 for each of the 25 units
    later = np.mean(states[:, 1:, 12] == states[:, :-1, 12])  # draws of successive ticks are independent
    assert abs(later - (expected[12] ** 2 + (1 - expected[12]) ** 2)) < 0.03
    np.testing.assert_array_equal(run(network, given, session, 5), states)
    assert not np.array_equal(run(network, given, session, 6), states)
    few = run(network, ClockedInput(h[None, None], np.zeros(3, int)), Session(3, 0.5), 5)
    np.testing.assert_array_equal(few, states[:3])  # a trial is the same in whatever company it is


def test_a_unit_held_at_a_rate_is_on_in_that_share_of_ticks():
    network = random_network(on_rate=50.0)
    hold = np.where(np.arange(N) == 4, 10.0, np.nan)
    session = Session(50, 0.2, perturbations=(Effect("hold", hold, 0.0, 0.2),))
    states = run(network, ClockedInput(np.zeros((1, 1, N)), np.zeros(50, int)), session, 1)
    assert states[:, :, 4].mean() == pytest.approx(10 / 50, abs=4.5 * np.sqrt(0.2 * 0.8 / 10_000))


def test_onsets_are_switches_from_off_to_on():
    states = np.array([[[0, 1], [1, 1], [0, 0], [1, 1]]], bool)
    assert [a.tolist() for a in onsets(states)] == [[0] * 4, [0, 1, 3, 3], [1, 0, 0, 1]]
    assert [a.tolist() for a in onsets(states, np.array([0, 1]))] == [[0] * 3, [1, 3, 3], [0, 0, 1]]


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"pre": np.array([0])}, "one entry per synapse"),
        ({"pre": np.array([-1]), "post": np.array([0]), "weight": np.ones(1)}, r"units 0\.\.24, got \[-1\]"),
        ({"tick": 0.0}, "a tick must be > 0 s"),
        ({"temperature": -1.0}, "a temperature must be >= 0"),
    ],
)
def test_a_network_that_cannot_be_is_refused_by_rule(changed, rule):
    with pytest.raises(SimlabError, match=rule):
        replace(random_network(), **changed)


def test_what_cannot_be_run_is_refused_by_rule():
    network, given = random_network(), random_input()
    with pytest.raises(SimlabError, match="cannot change faster than this circuit's simulation"):
        run(network, given, SESSION.perturbed(Effect("drive", np.ones(N), 0.0, TICK / 3)), 0)
    with pytest.raises(SimlabError, match="too many for 25 watched units"):
        run(network, ClockedInput(given.values, np.zeros(10**5, int)), Session(10**5, 1.0), 0)
    with pytest.raises(SimlabError, match="pattern of each trial"):
        run(network, ClockedInput(given.values, np.array([0, 1, 2])), SESSION, 0)
    with pytest.raises(SimlabError, match=r"silenced must be \(trial, unit\)"):
        run(network, given, SESSION, 0, silenced=np.zeros(N, bool))
