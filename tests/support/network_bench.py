"""Small networks of what circuits are made of, and how tests run each of them, once in a test run."""

from __future__ import annotations

from functools import cache

import numpy as np

from simlab.session import Effect, Session
from simlab.simulators.spiking import Coupling, Population, Record, SpikingNetwork, SynapseSet, simulate

ENGINES = ("kernel", "brian2")


def run(network, session, engine="kernel", **options):
    """What an engine finds: by default the kernel, as the reference takes milliseconds for each step."""
    return simulate(network, session, np.random.default_rng(7), engine=engine, **{"burn_in": 0.0, **options})


def both(network, session, **options):
    """What each engine finds, given the same numbers."""
    return tuple(run(network, session, engine, **options) for engine in ENGINES)


def assert_same(found, rtol=1e-5):
    """The same spikes to the step, and records equal within rounding (they are kept as float32)."""
    one, other = found
    for name in ("trial", "time", "neuron"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name
    assert set(one.samples) == set(other.samples)
    for name, values in one.samples.items():
        scale = np.nanmax(np.abs(other.samples[name]), initial=1e-30)
        np.testing.assert_allclose(values, other.samples[name], rtol=rtol, atol=rtol * scale, err_msg=name)


def times(spikes, neuron, trial=0):
    """(spike,) [s] of one neuron, to the step."""
    return spikes.time[(spikes.neuron == neuron) & (spikes.trial == trial)]


# --- clocks with short-term plasticity, and cells that only listen ---------------------------------------------------

RATES = np.array([20.0, 40.0, 80.0])  # Hz, of three clocks
USE = np.array([0.5, 0.1, 0.05])
RECOVERY = np.array([0.8, 0.1, 0.05])  # s
FACILITATION, SET_FACILITATION = np.array([0.01, 0.5, 1.0]), 0.3  # s
FAST, SLOW, MEMBRANE, DELAY, WEIGHT = 1e-3, 4e-3, 15e-3, 1.5e-3, 2e-9


@cache
def listeners():
    """Three clocks; each is heard by a cell of its own, through every kind of synapse."""
    clocks = Population(
        n_neurons=3,
        equations="""
            next : second
            du/dt = -u/tau_f : 1
            dx/dt = (1 - x)/tau_d : 1
            released : 1
            rate : Hz (constant)
            U : 1 (constant)
            tau_d : second (constant)
            tau_f : second (constant)
        """,
        threshold="t >= next - dt/2",
        reset="next += 1/rate; u += U*(1 - u); released = u*x; x -= released",
        method="exact",
        parameters={"rate": RATES, "U": USE, "tau_d": RECOVERY, "tau_f": FACILITATION},
        initial={"x": 1.0},
    )
    cells = Population(
        n_neurons=3,
        equations="""
            dv/dt = (100*Mohm*current - v)/membrane : volt
            dcurrent/dt = -current/slow : amp
            dalpha/dt = (alpha_rise - alpha)/slow : siemens
            dalpha_rise/dt = -alpha_rise/slow : siemens
            difference = 1.5*(decaying - rising) : siemens
            ddecaying/dt = -decaying/slow : siemens
            drising/dt = -rising/fast : siemens
            by_neuron : 1
            by_synapse : 1
            potential : volt
            membrane : second (shared, constant)
            slow : second (shared, constant)
            fast : second (shared, constant)
        """,
        method="exact",
        parameters={"membrane": MEMBRANE, "slow": SLOW, "fast": FAST},
    )

    def heard(**given):
        return SynapseSet(np.arange(3), np.arange(3) + 3, np.full(3, given.pop("weight", WEIGHT)), DELAY, **given)

    plastic = {
        "equations": """
            dused/dt = -used/t_f : 1 (event-driven)
            dleft/dt = (1 - left)/t_d : 1 (event-driven)
            U_s : 1 (constant)
            t_d : second (constant)
            t_f : second (shared, constant)
        """,
        "on_pre": "used += U_s*(1 - used); by_synapse_post += w*used*left; left -= used*left",
        "variables": {"used": 0.0, "left": 1.0, "U_s": USE, "t_d": RECOVERY, "t_f": SET_FACILITATION},
    }
    return SpikingNetwork(
        (clocks, cells),
        (
            *(heard(target=name) for name in ("current", "alpha_rise", "decaying", "rising")),
            heard(target="by_neuron", weight=1.0, factor="released_pre"),
            heard(target="by_synapse", weight=1.0, **plastic),
            heard(target="potential", weight=0.1, unit="1", factor="30*mV - potential_post"),
        ),
    )


@cache
def listened(how=run):
    """0.3 s of them, every step."""
    names = ("v", "current", "alpha", "difference", "by_neuron", "by_synapse", "potential")
    return how(listeners(), Session(1, 0.3), record=Record(names, 1e-4))


# --- saturating NMDA gates (Wang 2002) -------------------------------------------------------------------------------

N_E, N_I = 4, 2
GATE_DECAY, GATE_RISE, GATE_RATE = 100e-3, 2e-3, 500.0
EXCITED = np.array([0.45e-9, 0.5e-9, 0.0, 0.6e-9])  # A


def nmda(with_self):
    """Wang 2002's cells and gates; every pyramidal cell reaches every cell, itself too or not."""
    pyramidal = Population(
        n_neurons=N_E,
        equations="""
            dv/dt = (25*nS*(-70*mV - v) + I_nmda + bias)/(0.5*nF) : volt (unless refractory)
            ds/dt = -s/decay + rate*x*(1 - s) : 1
            dx/dt = -x/rise : 1
            I_nmda = 3*nS*gates*(0*mV - v)/(1 + exp(-0.062*v/mV)/3.57) : amp
            gates : 1
            bias : amp (constant)
            decay : second (shared, constant)
            rise : second (shared, constant)
            rate : Hz (shared, constant)
        """,
        threshold="v > -50*mV",
        reset="v = -55*mV; x += 1",
        refractory=2e-3,
        parameters={"decay": GATE_DECAY, "rise": GATE_RISE, "rate": GATE_RATE, "bias": EXCITED},
        initial={"v": -70e-3},
    )
    inhibitory = Population(
        n_neurons=N_I,
        equations="""
            dv/dt = (20*nS*(-70*mV - v) + I_nmda)/(0.2*nF) : volt (unless refractory)
            I_nmda = 3*nS*gates*(0*mV - v)/(1 + exp(-0.062*v/mV)/3.57) : amp
            gates : 1
        """,
        threshold="v > -50*mV",
        reset="v = -55*mV",
        refractory=1e-3,
        initial={"v": -70e-3},
    )
    pre, post = np.nonzero(np.ones((N_E, N_E + N_I), bool) if with_self else ~np.eye(N_E, N_E + N_I, dtype=bool))
    return SpikingNetwork((pyramidal, inhibitory), (Coupling(pre, post, np.full(len(pre), 0.7), "gates", "s_pre"),))


@cache
def gated(with_self, how=run):
    """0.2 s of it, every step of 0.05 ms."""
    return how(nmda(with_self), Session(1, 0.2), dt=5e-5, record=Record(("v", "s", "gates", "I_nmda"), 5e-5))


# --- gap junctions and graded synapses -------------------------------------------------------------------------------

LEAK, GAP, INJECTED = np.array([10e-9, 5e-9, 10e-9]), 4e-9, 0.1e-9
GRADED, V_HALF, SLOPE, REVERSAL = 3e-9, -5e-3, 5e-3, -80e-3


@cache
def graded():
    """Two passive cells with a gap junction; two Morris-Lecar cells that inhibit one another and a passive one."""
    passive = Population(
        n_neurons=3,
        equations="""
            dv/dt = (leak*(-60*mV - v) + current + injected)/(100*pF) : volt
            current : amp
            leak : siemens (constant)
            injected : amp (constant)
        """,
        parameters={"leak": LEAK, "injected": np.array([INJECTED, 0.0, 0.0])},
        initial={"v": -60e-3},
    )
    morris_lecar = Population(
        n_neurons=2,
        equations="""
            dv/dt = (2*nS*(-60*mV - v) + 4.4*nS*m*(120*mV - v) + 8*nS*n*(-84*mV - v) + 90*pA + current)/(20*pF) : volt
            dn/dt = 0.04*cosh((v - 2*mV)/(60*mV))*(n_inf - n)/ms : 1
            m = 0.5*(1 + tanh((v + 1.2*mV)/(18*mV))) : 1
            n_inf = 0.5*(1 + tanh((v - 2*mV)/(30*mV))) : 1
            current : amp
        """,
        method="rk4",
        initial={"v": np.array([-40e-3, 0.0])},
    )
    gap = Coupling(np.array([0, 1]), np.array([1, 0]), np.full(2, GAP), "current", "v_pre - v_post", "siemens")
    inhibited = Coupling(
        np.array([3, 4, 3]), np.array([4, 3, 2]), np.full(3, GRADED), "current",
        f"1/(1 + exp(({V_HALF}*volt - v_pre)/({SLOPE}*volt)))*({REVERSAL}*volt - v_post)", "siemens",
    )  # fmt: skip
    return SpikingNetwork((passive, morris_lecar), (gap, inhibited))


@cache
def rhythm(how=run, duration=0.5):
    """0.5 s of it, every step of 0.1 ms."""
    return how(graded(), Session(1, duration), record=Record(("v", "current"), 1e-4))


# --- populations that act on one another, under all perturbations ----------------------------------------------------

SHARE = 0.64


@cache
def mixed():
    """4 adaptive exponential cells, 3 leaky ones and 2 that do not spike, with conductances between and within.

    Where a neuron is held, nothing resets it: the exponential is bounded, or it would run away.
    """
    excitatory = Population(
        n_neurons=4,
        equations="""
            dv/dt = (30*nS*(-70.6*mV - v) + 30*nS*2*mV*exp(clip((v + 50.4*mV)/(2*mV), -50, 5)) - w + I_syn + I_gap
                     + bias*(1 + perturbation) + 2*pA*(eta + 0.5*eta_e)/sqrt(dt/second))/(281*pF)
                     : volt (unless refractory)
            dw/dt = (4*nS*(v + 70.6*mV) - w)/(144*ms) : amp
            dg_e/dt = -g_e/(5*ms) : siemens
            dg_i/dt = -g_i/(10*ms) : siemens
            I_syn = g_e*(0*mV - v) + g_i*(-80*mV - v) : amp
            I_gap : amp
            bias : amp (constant)
        """,
        threshold="v > -30*mV",
        reset="v = -70.6*mV; w += 80*pA",
        refractory=2e-3,
        parameters={"bias": np.linspace(0.8e-9, 1.1e-9, 4)},
        initial={"v": (-70e-3, -55e-3)},
    )
    inhibitory = Population(
        n_neurons=3,
        equations="""
            dv/dt = (10*nS*(-65*mV - v) + I_syn + bias*(1 + perturbation) + 1*pA*eta/sqrt(dt/second))/(100*pF)
                    : volt (unless refractory)
            dg_e/dt = -g_e/(3*ms) : siemens
            dg_i/dt = -g_i/(8*ms) : siemens
            I_syn = g_e*(0*mV - v) + g_i*(-80*mV - v) : amp
            bias : amp (constant)
        """,
        threshold="v > -50*mV",
        reset="v = -60*mV",
        refractory=1e-3,
        parameters={"bias": 0.17e-9},
        initial={"v": (-65e-3, -50e-3)},
    )
    silent = Population(
        n_neurons=2,
        equations="""
            dv/dt = (-60*mV - v)/(20*ms) + I_syn/(100*pF) : volt
            dg_e/dt = -g_e/(5*ms) : siemens
            I_syn = g_e*(0*mV - v) : amp
        """,
        initial={"v": -60e-3},
    )
    rng = np.random.default_rng(5)
    pre, post = np.nonzero(~np.eye(4, 9, dtype=bool))  # onto all three populations
    excite = SynapseSet(pre, post, rng.uniform(1e-9, 3e-9, len(pre)), rng.uniform(0.5e-3, 3e-3, len(pre)), "g_e")
    pre, post = np.nonzero(~np.eye(3, 7, 4, dtype=bool))
    inhibit = SynapseSet(pre + 4, post, rng.uniform(2e-9, 4e-9, len(pre)), 1e-3, "g_i")
    gap = Coupling(np.array([0, 1, 7]), np.array([1, 0, 2]), np.full(3, 3e-9), "I_gap", "v_pre - v_post", "siemens")
    source = np.array([0, 0, 2, 3, 0, 5, 6, 7, 8])  # 1 shares with 0 in its population, 4 with 0 of another
    return SpikingNetwork((excitatory, inhibitory, silent), (excite, inhibit, gap), source, SHARE)


def perturbations(stretch=1.0):
    """On trial 1 alone: drives, holds and gains that reach both populations that spike, and the gap junctions."""
    free = np.full(9, np.nan)
    drive, held, weaker = np.zeros(9), free.copy(), np.ones(9)
    drive[[1, 5]], held[[2, 6]], weaker[[0, 7]] = (1.5, -0.8), np.array([80.0, 40.0]) / stretch, 0.3
    pairs = np.ones((9, 9))
    pairs[4, 0], pairs[1, 0] = 3.0, 0.0
    return (
        Effect("drive", drive, 0.05 * stretch, 0.15 * stretch, trials=(1,)),
        Effect("hold", held, 0.08 * stretch, 0.25 * stretch, trials=(1,)),
        Effect("gain", weaker, 0.1 * stretch, 0.2 * stretch, trials=(1,)),
        Effect("gain", pairs, 0.12 * stretch, 0.28 * stretch, trials=(1,), over="pair"),
    )


@cache
def perturbed(how=run, stretch=1.0):
    """Two trials of 0.3 s times `stretch`; the first knows no perturbation."""
    record = Record(("v", "I_syn", "I_gap", "w", "g_e", "g_i", "eta"), 1e-4)
    session = Session(2, 0.3 * stretch, perturbations=perturbations(stretch))
    return how(mixed(), session, record=record, burn_in=0.02 * stretch)
