"""The dynamics methods on planted populations of which the answer is known, and on too little data."""

from __future__ import annotations

import numpy as np
import pytest
import ring_worlds
from memory_worlds import CANDIDATES, RegimeRig, value_recording

from methods.dynamics._correlogram import asymmetry, putative_inhibitory
from methods.dynamics._slow_space import slow_space
from methods.dynamics.fitted_dynamics import FittedDynamics, flow_points
from methods.dynamics.gated_mechanism import GatedMechanism
from methods.dynamics.offset_reset import OffsetReset
from methods.dynamics.perturb_and_classify import PerturbAndClassify
from methods.dynamics.short_latency_coupling import ShortLatencyCoupling
from simlab.contracts import Budget
from simlab.data import recording

OPEN = ("feedforward", "none of these", "ring attractor")


def label(method, seen, seed=0):
    finding = method.analyse(seen, np.random.default_rng(seed))
    return finding.abstained or finding.estimate["label"]


def opened(seen):
    seen.attrs["brief"] = {"candidates": OPEN}
    return seen


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({"drift": 0.02}, "line attractor"),
        ({"levels": 2}, "bistable"),
        ({"decay": 0.6}, "fixed point"),
        ({"decay": 0.02}, "no direction in which the past lasts"),
    ],
)
def test_a_fit_names_what_lasts_by_its_shape_and_its_decay(state, expected):
    found = [label(FittedDynamics(), value_recording(seed, **state)) for seed in range(2)]
    assert expected in found


def test_a_fit_names_a_ring():
    assert label(FittedDynamics(), ring_worlds.ring_recording(0, n_trials=40)) == "ring attractor"


def test_a_fitted_map_has_the_time_constant_that_was_planted():
    rng = np.random.default_rng(0)
    decay = np.exp(-0.05 * np.arange(40) / 1.5)
    values = rng.normal(size=(200, 1)) * decay
    noisy = values[..., None] * rng.choice([-1, 1], 20) + rng.normal(0, 0.5, (200, 40, 20))
    space = slow_space(noisy, 0.05, 0.3, 0.01, 100, rng)
    assert space.n_slow == 1
    # 200 trials of signal variance .3 against .25/20 in a bin: errors of the map of 1%, of the time constant of 5%
    assert space.time_constants[0] == pytest.approx(1.5, rel=0.15)


def test_a_cubic_flow_has_the_fixed_points_of_a_switch():
    rng, z = np.random.default_rng(0), np.empty((400, 40))
    z[:, 0] = rng.uniform(-1.4, 1.4, 400)
    for k in range(1, 40):
        z[:, k] = z[:, k - 1] + 0.05 * (z[:, k - 1] - z[:, k - 1] ** 3)
    points = flow_points(z, 0.05, 0.05)
    assert [stable for _, stable in points] == [True, False, True]
    assert [at for at, _ in points] == pytest.approx([-1, 0, 1], abs=0.15)


def test_shared_errors_that_grow_are_an_attractor_and_private_ones_are_not():
    drifting = [label(OffsetReset(), value_recording(seed, drift=0.05)) for seed in range(4)]
    assert drifting.count("line attractor") >= 3  # power of the growth test at 40 trials
    for state in ({}, {"decay": 0.1}):
        assert [label(OffsetReset(), value_recording(seed, **state)) for seed in range(3)].count(
            "line attractor"
        ) <= 1  # level .05
    assert label(OffsetReset(), opened(ring_worlds.ring_recording(1, n_trials=40))) == "ring attractor"


@pytest.mark.parametrize(
    ("made", "gate"),
    [
        (lambda seed: ring_worlds.ring_recording(seed, n_trials=40, diffusion=0.0), "units err on their own"),
        (lambda seed: ring_worlds.ring_recording(seed, n_trials=40, diffusion=50.0), "nothing is remembered"),
        (lambda seed: ring_worlds.independent_recording(seed, n_trials=40), "independent"),
    ],
)
def test_what_fails_a_gate_is_none_of_these(made, gate):
    found = [GatedMechanism().analyse(opened(made(seed)), np.random.default_rng(seed)) for seed in range(2)]
    assert sum(f.estimate["label"] == "none of these" for f in found) == 2
    assert any(gate in str(f.notes["gate"]) or "remembered" in str(f.notes["gate"]) for f in found)


def test_what_passes_the_gates_without_a_synapse_is_the_rival():
    found = [label(GatedMechanism(), opened(ring_worlds.ring_recording(seed, n_trials=40))) for seed in range(2)]
    assert found == ["feedforward"] * 2


def test_a_closed_list_on_which_nothing_fits_is_an_abstention():
    seen = ring_worlds.ring_recording(0, n_trials=40, diffusion=0.0)
    assert "no candidate fits" in label(GatedMechanism(), seen)


def inhibited(seed, suppression, n_trials=20, duration=2.0):
    """Five units at 40 Hz, each of whose spikes thins those of twenty others, at 15 Hz, for 3 to 10 ms after it."""
    rng, spikes = np.random.default_rng(seed), []
    for trial in range(n_trials):
        fast = [np.sort(rng.uniform(0, duration, rng.poisson(40 * duration))) for _ in range(5)]
        every = np.sort(np.concatenate(fast))
        gain = rng.uniform(0.2, 1.8, 20)  # slow units vary over trials, as tuned ones do
        slow = [np.sort(rng.uniform(0, duration, rng.poisson(15 * g * duration))) for g in gain]
        for unit, times in enumerate((*fast, *slow)):
            if unit >= 5:
                since = times - every[np.maximum(np.searchsorted(every, times) - 1, 0)]
                times = times[~((since > 0.003) & (since < 0.01) & (rng.random(len(times)) < suppression))]
            spikes.append((np.full(len(times), trial), times, np.full(len(times), unit)))
    columns = tuple(np.concatenate(c) for c in zip(*spikes, strict=True))
    return opened(recording(duration=duration, n_units=25, n_trials=n_trials, spikes=columns))


def test_suppression_within_milliseconds_is_seen_and_chance_is_not():
    assert np.isin(np.arange(5), putative_inhibitory(inhibited(0, 0.3), 0.2)).all()
    assert [label(ShortLatencyCoupling(), inhibited(seed, 0.3)) for seed in range(2)] == ["ring attractor"] * 2
    assert [label(ShortLatencyCoupling(), inhibited(seed, 0.0)) for seed in range(2)] == ["feedforward"] * 2
    z = [asymmetry(inhibited(seed, 0.0), np.arange(5), (0.003, 0.01)).z for seed in range(12)]
    assert abs(np.mean(z)) < 4 / np.sqrt(12)
    assert 0.5 < np.std(z) < 1.6  # of a standard normal, from twelve


@pytest.mark.parametrize(
    ("regime", "expected"),
    [
        ("stays", "line attractor"),
        ("returns", "driven"),
        ("cells", "fixed point"),
        ("sways", "non-normal integrator"),
        ("silent", "did not move"),
    ],
)
def test_a_push_tells_regimes_apart(regime, expected):
    found = [
        PerturbAndClassify().investigate(RegimeRig(regime, seed=seed), np.random.default_rng(seed)) for seed in range(3)
    ]
    assert sum(expected in (f.abstained or f.estimate["label"]) for f in found) >= 2


def test_a_budget_that_is_too_small_is_an_abstention_that_spends_nothing():
    rig = RegimeRig(remaining=Budget(12, 24.0, 12))
    assert "budget" in PerturbAndClassify().investigate(rig, np.random.default_rng(0)).abstained
    assert rig.remaining.trials == 12
    short = RegimeRig(remaining=Budget(40, 40.0, 40))
    assert "no time in the dark" in PerturbAndClassify().investigate(short, np.random.default_rng(0)).abstained


@pytest.mark.parametrize("method", [FittedDynamics(), OffsetReset(), ShortLatencyCoupling(), GatedMechanism()])
@pytest.mark.parametrize(("shape", "reason"), [({"n_units": 4}, "units"), ({"n_trials": 5}, "trials")])
def test_too_few_units_or_trials_are_an_abstention(method, shape, reason):
    assert reason in label(method, value_recording(0, **shape))


@pytest.mark.parametrize("method", [FittedDynamics(), OffsetReset(), GatedMechanism()])
def test_too_short_a_dark_is_an_abstention(method):
    assert "dark" in label(method, value_recording(0, duration=0.8, drift=0.02))


def test_other_candidates_are_an_abstention():
    seen = value_recording(0)
    assert CANDIDATES[1] == "line attractor"
    seen.attrs["brief"] = {"candidates": ("balanced", "common drive")}
    for method in (OffsetReset(), ShortLatencyCoupling(), GatedMechanism()):
        assert "candidate" in label(method, seen)
