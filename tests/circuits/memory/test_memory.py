"""Five ways to remember a value: what each one's equations say, by another route, and how alike they look."""

from dataclasses import replace

import numpy as np
import pytest

from circuits.attractors.shape import betti_numbers
from circuits.memory.discrete_attractors import DiscreteAttractors, held
from circuits.memory.external_memory import ExternalMemory
from circuits.memory.goldman_chain import GoldmanChain, hidden_basis
from circuits.memory.line_attractor import LineAttractor
from circuits.memory.regimes import linear_regime
from circuits.memory.remembered import kept_states
from circuits.memory.slow_cells import SlowCells
from simlab.contracts import SimlabError
from simlab.session import Effect
from simlab.simulators.rates import settle
from simlab.streams import stream

LINE = LineAttractor()
RIVALS = (GoldmanChain(), SlowCells(), ExternalMemory(), DiscreteAttractors())
ALL = (LINE, *RIVALS)


@pytest.fixture(scope="module")
def subjects():
    return {circuit.name: circuit.subject(stream(1, "subject")) for circuit in ALL}


def regime(subject):
    return subject.truth("dynamics", None, np.random.default_rng(0))["label"].item()


def slope_of(subject):
    """The pattern (neuron,) in which what is remembered is seen, per unit of the value."""
    high, low = kept_states(subject, np.array([0.4, -0.4]), duration=1.0)
    return (high - low) / 0.8


def test_the_regimes_are_those_that_the_circuits_are_named_for(subjects):
    assert {name: regime(subject) for name, subject in subjects.items()} == {
        "line_attractor": "line attractor",
        "goldman_chain": "non-normal integrator",
        "slow_cells": "fixed point",
        "external_memory": "driven",
        "discrete_attractors": "bistable",
    }


def test_time_scales_are_the_slowest_modes_or_what_an_impulse_into_the_chain_shows(subjects):
    def timescale(subject):
        return subject.truth("timescale", None, np.random.default_rng(0))["timescale"].item()

    for name in ("line_attractor", "slow_cells"):
        modes = np.linalg.eigvals(subjects[name].network.jacobian(subjects[name].network.bias * np.ones(60))).real
        assert timescale(subjects[name]) == pytest.approx(-1 / modes.max(), rel=1e-6)
    assert timescale(subjects["external_memory"]) == timescale(subjects["line_attractor"])
    chain = subjects["goldman_chain"]
    assert timescale(chain) == pytest.approx(chain.circuit.stages * LINE.time_constant, rel=0.1)
    # an impulse into the chain's entry, followed by the equations: of what is held at 1 s, 1/e is left
    state, entry = np.full(60, LINE.base), chain.jitter / np.linalg.norm(chain.jitter)
    impulse = np.stack([state, state + entry])
    early, late = (
        np.subtract(*settle(chain.network, impulse, duration=d, dt=1e-3)) @ slope_of(chain)
        for d in (1.0, timescale(chain))
    )
    assert late / early == pytest.approx(np.exp(-1), rel=0.02)
    with pytest.raises(SimlabError, match="eigenvalue of 1"):
        timescale(replace(LINE, eigenvalue=1.0).subject(stream(1, "subject")))


@pytest.mark.parametrize(("eigenvalue", "expected"), [(0.5, "fixed point"), (0.95, "line attractor")])
def test_the_dial_of_feedback_makes_a_fixed_point_a_line_and_sets_its_decay(eigenvalue, expected):
    circuit = replace(LINE, eigenvalue=eigenvalue)
    subject = circuit.subject(stream(1, "subject"))
    assert regime(subject) == expected
    early, late = (kept_states(subject, np.array([0.5]), duration=d)[0] - LINE.base for d in (0.2, 0.5))
    # by simulation: exp(-0.3 s / persistence), within Euler's error of (dt / T)^2 / 2 per step
    lasting = np.linalg.norm(late) / np.linalg.norm(early)
    assert lasting == pytest.approx(np.exp(-0.3 / circuit.persistence), rel=0.05)


def test_all_modes_of_the_chain_decay_at_once_and_a_value_outlasts_them(subjects):
    subject = subjects["goldman_chain"]
    slope = subject.network.weights
    basis = hidden_basis(np.ones(60), np.random.default_rng(0))
    assert np.allclose(basis @ basis.T, np.eye(60))
    # a nilpotent matrix: its 41st power is nothing, so that every eigenvalue is zero, however rounding spreads them
    assert np.abs(np.linalg.matrix_power(slope, 42)).max() < 1e-9 * np.abs(np.linalg.matrix_power(slope, 20)).max()
    kept = kept_states(subject, np.array([0.5]), duration=1.75)[0] - LINE.base
    gone = kept_states(subject, np.array([0.5]), duration=8.0)[0] - LINE.base
    assert np.linalg.norm(kept) > 0.8 * 0.5 * np.linalg.norm(slope_of(subject))
    # 40 stages of .1 s: after 8 s, twice the mean and six standard deviations of their gamma law, nothing is left
    assert np.linalg.norm(gone) < 0.01 * np.linalg.norm(kept)


def test_a_normal_network_with_the_same_eigenvalues_is_no_integrator():
    assert linear_regime(-np.eye(20) / 0.1, np.array([0.1])) == "fixed point"
    with pytest.raises(ValueError, match="2 modes outlast"):
        linear_regime(np.diag([0.0, 0.0, -10.0]), np.array([0.1]))


def push_of(subject, neurons):
    """Rates (neuron,) without noise, and with a pulse into these neurons, 0.5 s after it; rests at the middle value."""
    pulse = np.zeros(len(subject.rest))
    pulse[neurons] = 2.0
    during = settle(subject.network, subject.rest, duration=0.3, dt=5e-3, current=pulse * subject.network.rheobase)
    return settle(subject.network, during, duration=0.5, dt=5e-3) - subject.rest


def test_a_push_stays_in_the_line_sways_the_chain_and_keeps_to_the_slow_cells(subjects):
    moved = {}
    for name in ("line_attractor", "goldman_chain", "slow_cells"):
        slope = slope_of(subjects[name])
        change = push_of(subjects[name], chosen := np.argsort(-slope)[:6])
        others = np.setdiff1d(np.arange(60), chosen)
        moved[name] = change[others] @ slope[others] / (slope[others] @ slope[others])
    # by hand: 40 Hz for three time constants leaves (3 - 3 (1 - eigenvalue) ...) x 40 x sum of slopes / |slope|^2
    slope = slope_of(subjects["line_attractor"])
    expected = 40 * 3 * np.sort(slope)[-6:].sum() / (slope @ slope)
    assert moved["line_attractor"] == pytest.approx(expected, rel=0.25)
    assert moved["slow_cells"] == 0.0
    swings = [push_of(subjects["goldman_chain"], np.argsort(-slope)[k : k + 3]) @ slope for k in range(0, 18, 3)]
    assert min(swings) < 0 < max(swings)


@pytest.mark.parametrize("states", [2, 3, 5])
def test_a_stack_of_switches_has_as_many_stable_states_as_levels(states):
    subject = DiscreteAttractors(states=states).subject(stream(2, "subject"))
    assert len(held(subject)) == states
    assert regime(subject) == "bistable"
    assert [int(subject.truth("topology", None, np.random.default_rng(0))[b]) for b in ("b0", "b1", "b2")] == [
        states, 0, 0,
    ]  # fmt: skip


def test_feedback_that_is_too_weak_holds_no_level():
    assert regime(DiscreteAttractors(steepness=0.2).subject(stream(2, "subject"))) == "fixed point"


def test_the_states_of_the_line_are_one_piece_without_a_hole(subjects):
    values = np.linspace(-1, 1, 20)
    states = kept_states(subjects["line_attractor"], np.concatenate([values, values[::-1]]))
    assert betti_numbers(states) == (1, 0, 0)


@pytest.fixture(scope="module")
def rates():
    """(trial, time, neuron) of each circuit, with its slopes; one session."""
    session = LINE.subject(stream(1, "subject")).session(trials=60, duration=2.0, rng=stream(5))
    found = {}
    for circuit in ALL:
        subject = circuit.subject(stream(1, "subject"))
        found[circuit.name] = subject.rates(session, stream(6, "run"))[1]
    return session.stimulus.values[:, 0, 0], found


@pytest.mark.parametrize("rival", [rival.name for rival in RIVALS])
def test_rivals_have_the_rates_and_the_tuning_of_the_line(rival, rates):
    values, found = rates
    line, other = found["line_attractor"], found[rival]
    # 60 values of sd .58 and slopes of up to 18 Hz: a mean over trials has a standard error of 1.3 Hz
    assert other[:, 60:].mean() == pytest.approx(line[:, 60:].mean(), rel=0.02)
    late = [r[:, 100] - r[:, 100].mean(axis=0) for r in (line, other)]
    tuning = [(x * values[:, None]).sum(0) / (values**2).sum() for x in late]
    assert np.corrcoef(*tuning)[0, 1] > 0.99
    steeper = 1.5 if rival == "discrete_attractors" else 1.0  # only the ends of the range: E|v| / E v^2 = 1.5 of it
    assert np.polyfit(*tuning, 1)[0] == pytest.approx(steeper, rel=0.15)


@pytest.mark.parametrize("rival", ["goldman_chain", "slow_cells", "external_memory"])
def test_what_is_remembered_drifts_as_in_the_line(rival, rates):
    values, found = rates
    drift = []
    for name in ("line_attractor", rival):
        slope = np.linalg.svd(found[name][:, 100] - found[name][:, 100].mean(0))[2][0]
        moved = (found[name][:, 190] - found[name][:, 60]) @ slope
        drift.append((moved - np.polyval(np.polyfit(values, moved, 1), values)).std())  # without decay and growth
    # two standard deviations of 60 trials each: a standard error of 13% of their ratio
    assert drift[1] == pytest.approx(drift[0], rel=0.4)


def test_external_memory_draws_the_line_s_own_spikes_and_hears_nothing_of_a_push():
    subject, line = (c.subject(stream(1, "subject")) for c in (ExternalMemory(), LINE))
    session = line.session(trials=3, duration=1.0, rng=stream(2))
    one, other = (s.run(session, stream(3, "run")) for s in (line, subject))
    assert np.array_equal(one["spike_time"], other["spike_time"])
    pulse = Effect("drive", np.where(np.arange(60) < 10, 2.0, 0.0), 0.4, 0.6)
    natural, pushed = (subject.circuit.like.subject(stream(1, "subject")) for _ in range(2))
    free = subject.rates(session, stream(4, "run"))[1]
    hit = subject.rates(session.perturbed(pulse), stream(4, "run"))[1]
    assert np.array_equal(free, hit)
    moved = pushed.rates(session.perturbed(pulse), stream(4, "run"))[1] - natural.rates(session, stream(4, "run"))[1]
    assert np.abs(moved[:, 80, 20:]).mean() > 1.0


def test_impossible_memories_are_refused():
    with pytest.raises(SimlabError, match="base must be at least"):
        LineAttractor(base=5.0)
    with pytest.raises(SimlabError, match="stages must be fewer"):
        GoldmanChain(stages=60)
