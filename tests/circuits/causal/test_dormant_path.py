"""Units that are linear in a stimulus: Makelov's subspace patch to the digit, and what taking a unit out means."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from math import erf, sqrt

import numpy as np
import pytest

import simlab
from circuits.causal.direct_path import DirectPath
from circuits.causal.dormant_path import DormantPath
from circuits.causal.linear_paths import agreement
from simlab.coalitions import members, shapley
from simlab.contracts import SimlabError
from simlab.instruments.recording.perfect import Perfect
from simlab.registry import question
from simlab.session import Effect, Session

EXACT = DormantPath(noise=0.0, behaviour_noise=0.0)
E = np.eye(3)
ALONG = (E[0] + E[1]) / np.sqrt(2)


@cache
def subject(circuit):
    return circuit.subject(np.random.default_rng(1))


def behaviour(circuit, condition, rates=None):
    """y while x is shown, in a trial of a condition, with units held at rates (unit,), NaN for free."""
    made = subject(circuit)
    natural = made.session(trials=2, duration=0.5, rng=np.random.default_rng(0))
    trial = natural.conditions.index(condition)
    effects = () if rates is None else (Effect("hold", rates, 0.0, 0.5),)
    activity = made.run(natural.perturbed(*effects), np.random.default_rng(2))
    return activity["behaviour"].values[trial, -1, 0], activity["rate"].values[trial, -1]


def patched(circuit, direction):
    """The effect of setting h along a direction (unit,) to what it is in the other condition: 1 is all of it."""
    (base, here), (other, there) = behaviour(circuit, 0), behaviour(circuit, 1)
    moved, _ = behaviour(circuit, 0, here + direction * ((there - here) @ direction))
    return (moved - base) / (other - base)


def test_the_patch_along_e1_and_e2_has_an_effect_of_100_percent_and_neither_alone_has_any():
    assert behaviour(EXACT, 0)[0] == pytest.approx(1)
    assert behaviour(EXACT, 1)[0] == pytest.approx(-1)
    assert patched(EXACT, ALONG) == pytest.approx(1, abs=1e-12)
    assert [patched(EXACT, e) for e in E] == pytest.approx([0, 0, 1], abs=1e-12)
    # The patched activity: e1 moves as it would, e2 as it never does
    h, other = np.array([1.0, 0, 1]), np.array([-1.0, 0, -1])
    assert h + ALONG * ((other - h) @ ALONG) == pytest.approx([0, -1, 1])


def test_where_the_dormant_path_is_cut_the_same_patch_does_nothing():
    rival = DirectPath(EXACT)
    assert patched(rival, ALONG) == pytest.approx(0, abs=1e-12)
    assert [patched(rival, e) for e in E] == pytest.approx([0, 0, 1], abs=1e-12)
    natural = subject(EXACT).session(trials=6, duration=0.5, rng=np.random.default_rng(0))
    one, other = (subject(c).run(natural, np.random.default_rng(3)) for c in (EXACT, rival))
    assert one.identical(other)


def test_who_is_held_at_the_baseline_is_out_and_who_is_silenced_disturbs():
    """Without noise: held out, the carrier alone makes the outcome; silenced, the dormant unit's 0 Hz is read too."""
    mean, zero = subject(EXACT).values, subject(replace(EXACT, ablation="zero")).values
    carrier, dormant = members(3)[:, 2], members(3)[:, 1]
    np.testing.assert_array_equal(mean, np.where(carrier, 1.0, 0.5))
    np.testing.assert_array_equal(zero, np.where(carrier & dormant, 1.0, 0.5))
    assert shapley(mean) == pytest.approx([0, 0, 0.5])
    assert shapley(zero) == pytest.approx([0, 0.25, 0.25])


def test_a_noisy_game_is_that_of_the_normal_distribution():
    circuit = DormantPath(noise=0.3, behaviour_noise=0.4)
    spread = sqrt(0.4**2 + 0.3**2 * (2**2 + 1))
    assert subject(circuit).values[-1] == pytest.approx(0.5 + 0.5 * erf(1 / spread / sqrt(2)))


@pytest.mark.parametrize("ablation", ["mean", "zero"])
def test_the_game_is_what_sessions_show_in_which_units_are_held(ablation):
    circuit = DormantPath(carriers=2, mixed=2, noise=0.5, behaviour_noise=0.6, ablation=ablation)
    made, n, trials = subject(circuit), circuit.n_units, 1600
    natural = made.session(trials=trials, duration=0.1, rng=np.random.default_rng(0))
    level = 0.0 if ablation == "zero" else circuit.baseline
    for number in (0, 5, 22, 43, 2**n - 1):
        intact = members(n)[number]
        held = Effect("hold", np.where(intact, np.nan, level), 0.0, 0.1)
        outcome = made.run(natural.perturbed(held), np.random.default_rng(4))["outcome"].values.mean()
        # 1600 trials: a standard error of 0.0125 at most
        assert outcome == pytest.approx(made.values[number], abs=0.04), number


def test_a_silencing_current_and_a_cut_of_all_synapses_are_both_the_silence_of_zero_hertz():
    natural = subject(EXACT).session(trials=2, duration=0.5, rng=np.random.default_rng(0))
    who = np.array([False, True, False])
    effects = (
        Effect("drive", np.where(who, -10.0, 0.0), 0.0, 0.5), Effect("hold", np.where(who, 0.0, np.nan), 0.0, 0.5),
        Effect("gain", np.where(who, 0.0, 1.0), 0.0, 0.5),
    )  # fmt: skip
    seen = [subject(EXACT).run(natural.perturbed(e), np.random.default_rng(0)) for e in effects]
    for activity in seen:
        # y = x + 2 (0 - 20) / 5
        assert np.sort(activity["behaviour"].values[:, -1, 0]) == pytest.approx([-9, -7])
    assert not seen[0]["rate"].values[:, :, 1].any()
    assert seen[2]["rate"].values[:, :, 1].all()


def test_the_questions_say_that_the_carrier_is_the_circuit_and_all_that_matters():
    key = Perfect().implant(subject(DormantPath()).anatomy, np.random.default_rng(0)).key
    for circuit in (DormantPath(), DirectPath()):
        truth = subject(circuit).truth("circuit", None, np.random.default_rng(0))
        assert question("circuit").project(truth, key)["minimal"].values.tolist() == [[False, False, True]]
        needed = question("necessity").project(truth, key)["needed"].values
        assert needed.tolist() == [False, False, True]


def test_it_keeps_the_contract_and_draws_families():
    assert simlab.check(DormantPath(mixed=1), raises=False).ok
    assert simlab.check(DirectPath(), raises=False).ok
    assert DormantPath().prior(np.random.default_rng(0)).n_units >= 3
    with pytest.raises(SimlabError, match="are 16 at most together, got 15, 1, 1 and 0"):
        DormantPath(disconnected=15)


def test_a_session_without_conditions_or_stimulus_shows_nothing():
    seen = subject(EXACT).run(Session(2, 0.5), np.random.default_rng(0))
    assert not seen["behaviour"].values.any()
    assert (seen["outcome"].values == 0.5).all()


@pytest.mark.parametrize(
    ("y", "target", "covariance"), [((0.3, 1.2), (0.5, 0.7), 0.5), ((-1, 1), (0, 2), -1.0), ((0, 1), (0, 1), 0.6)]
)
def test_agreement_is_that_of_drawn_numbers(y, target, covariance):
    matrix = [[y[1] ** 2, covariance], [covariance, target[1] ** 2]]
    drawn = np.random.default_rng(0).multivariate_normal([y[0], target[0]], matrix, 200_000)
    # 200,000 draws: a standard error of 0.0011
    assert agreement(y[0], y[1], target[0], target[1], covariance) == pytest.approx(
        np.mean(np.sign(drawn[:, 0]) == np.sign(drawn[:, 1])), abs=0.005
    )
