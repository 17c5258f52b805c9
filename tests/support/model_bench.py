"""Model neurons from the literature beside independent integrations of them, and networks that draw numbers."""

from __future__ import annotations

from functools import cache

import numpy as np
from network_bench import both, run
from scipy.integrate import solve_ivp

from simlab.session import Session
from simlab.simulators.spiking import Population, Record, SpikingNetwork, SynapseSet

DT, DURATION = 2.5e-5, 0.12

ADEX = {"bias": np.array([0.8e-9, 0.8e-9]), "a": np.array([4e-9, 0.0]), "b": np.array([80.5e-12, 0.0])}
"""Brette & Gerstner 2005: adapting, as in their table; and with no adaptation at all."""

IZHIKEVICH = {
    "a": np.array([0.02, 0.1, 0.02]),
    "b": np.array([0.2, 0.2, 0.2]),
    "c": np.array([-65.0, -65.0, -50.0]),
    "d": np.array([8.0, 2.0, 2.0]),
}
"""Izhikevich 2003, figure 2: regular spiking, fast spiking, chattering."""

QUADRATIC = np.array([1.0, 4.0])
HODGKIN_HUXLEY = np.array([0.15e-9, 0.4e-9])  # A


def adex():
    return Population(
        n_neurons=2,
        equations="""
            dv/dt = (30*nS*(-70.6*mV - v) + 30*nS*2*mV*exp((v + 50.4*mV)/(2*mV)) - w + bias)/(281*pF) : volt
            dw/dt = (a*(v + 70.6*mV) - w)/(144*ms) : amp
            bias : amp (constant)
            a : siemens (constant)
            b : amp (constant)
        """,
        threshold="v > -30*mV",
        reset="v = -70.6*mV; w += b",
        parameters=ADEX,
        initial={"v": -70.6e-3},
    )


def izhikevich():
    return Population(
        n_neurons=3,
        equations="""
            dV/dt = (0.04*V**2 + 5*V + 140 - u + 10)/ms : 1
            du/dt = a*(b*V - u)/ms : 1
            a : 1 (constant)
            b : 1 (constant)
            c : 1 (constant)
            d : 1 (constant)
        """,
        threshold="V >= 30",
        reset="V = c; u += d",
        parameters=IZHIKEVICH,
        initial={"V": -65.0, "u": -13.0},
    )


def quadratic():
    return Population(
        n_neurons=2,
        equations="""
            dx/dt = (x**2 + drive)/(10*ms) : 1
            drive : 1 (constant)
        """,
        threshold="x > 20",
        reset="x = -20",
        method="rk4",
        parameters={"drive": QUADRATIC},
        initial={"x": -20.0},
    )


def hodgkin_huxley(n_neurons=2, bias=HODGKIN_HUXLEY, current="0*amp", extra=""):
    """Traub & Miles's channels, as in Brette et al. 2007's COBAHH; a cell of 20000 um^2."""
    return Population(
        n_neurons=n_neurons,
        equations=f"""
            dv/dt = (10*nS*(-60*mV - v) + 20*uS*m**3*h*(50*mV - v) + 6*uS*n**4*(-90*mV - v) + bias + {current})
                    /(200*pF) : volt
            dm/dt = alpha_m*(1 - m) - beta_m*m : 1
            dn/dt = alpha_n*(1 - n) - beta_n*n : 1
            dh/dt = alpha_h*(1 - h) - beta_h*h : 1
            z = v/mV + 63 : 1
            alpha_m = 0.32*4/exprel((13 - z)/4)/ms : Hz
            beta_m = 0.28*5/exprel((z - 40)/5)/ms : Hz
            alpha_h = 0.128*exp((17 - z)/18)/ms : Hz
            beta_h = 4/(1 + exp((40 - z)/5))/ms : Hz
            alpha_n = 0.032*5/exprel((15 - z)/5)/ms : Hz
            beta_n = 0.5*exp((10 - z)/40)/ms : Hz
            bias : amp (constant)
            {extra}
        """,
        threshold="v > -20*mV",
        refractory="v > -40*mV",
        method="exponential_euler",
        parameters={"bias": bias},
        initial={"v": -60e-3},
    )


@cache
def models(how=run, duration=DURATION):
    """0.12 s of all of them, in one network without synapses."""
    network = SpikingNetwork((adex(), izhikevich(), quadratic(), hodgkin_huxley()))
    return how(network, Session(1, duration), dt=DT, record=Record(("v", "V", "x", "w", "m"), 1e-3))


# --- the same equations, by SciPy and written anew -------------------------------------------------------------------


def spike_times(slope, start, threshold, reset=None, duration=DURATION):
    """(spike,) [s]: when the first variable passes its threshold, by an adaptive method; it goes on without a reset."""

    def passes(_, y):
        return y[0] - threshold

    passes.terminal, passes.direction = reset is not None, 1
    found, now, state = [], 0.0, np.array(start, dtype=float)
    while now < duration:
        done = solve_ivp(slope, (now, duration), state, "LSODA", events=passes, rtol=1e-8, atol=1e-12, max_step=1e-3)
        if reset is None:
            return done.t_events[0]
        now, state = done.t[-1], done.y[:, -1]
        if done.status == 1:
            found.append(now)
            state = reset(state)
    return np.array(found)


def adex_times(i):
    a, b, bias = (ADEX[name][i] for name in ("a", "b", "bias"))

    def slope(_, y):
        spike = 30e-9 * 2e-3 * np.exp((y[0] + 50.4e-3) / 2e-3)
        return [(30e-9 * (-70.6e-3 - y[0]) + spike - y[1] + bias) / 281e-12, (a * (y[0] + 70.6e-3) - y[1]) / 0.144]

    return spike_times(slope, [-70.6e-3, 0], -30e-3, lambda y: np.array([-70.6e-3, y[1] + b]))


def izhikevich_times(i):
    a, b, c, d = (IZHIKEVICH[name][i] for name in "abcd")

    def slope(_, y):
        return [1e3 * (0.04 * y[0] ** 2 + 5 * y[0] + 140 - y[1] + 10), 1e3 * a * (b * y[0] - y[1])]

    return spike_times(slope, [-65.0, -13.0], 30.0, lambda y: np.array([c, y[1] + d]))


def hodgkin_huxley_times(i):
    def linear(x, scale):
        return scale * (x / scale) / np.expm1(x / scale) if abs(x) > 1e-9 else scale

    def slope(_, y):
        v, m, n, h = y
        z = v * 1e3 + 63
        am, bm = 0.32 * linear(13 - z, 4), 0.28 * linear(z - 40, 5)
        an, bn = 0.032 * linear(15 - z, 5), 0.5 * np.exp((10 - z) / 40)
        ah, bh = 0.128 * np.exp((17 - z) / 18), 4 / (1 + np.exp((40 - z) / 5))
        current = 10e-9 * (-60e-3 - v) + 20e-6 * m**3 * h * (50e-3 - v) + 6e-6 * n**4 * (-90e-3 - v)
        gates = [1e3 * (up * (1 - g) - down * g) for up, down, g in ((am, bm, m), (an, bn, n), (ah, bh, h))]
        return [(current + HODGKIN_HUXLEY[i]) / 200e-12, *gates]

    return spike_times(slope, [-60e-3, 0, 0, 0], -20e-3)


# --- what draws numbers ----------------------------------------------------------------------------------------------

N_POISSON, N_WALKERS, RATE, TAU, SIGMA, RELEASE = 100, 100, 30.0, 20e-3, 2.0, 0.25
TRIALS, SECONDS, STEP = 10, 0.4, 2e-4


@cache
def drawn():
    """Poisson neurons; a cell that adds them up, and counts those whose vesicle is released; walks by xi and by eta."""
    poisson = Population(n_neurons=N_POISSON, equations="rate : Hz (constant)", threshold="rand() < rate*dt",
                         parameters={"rate": np.linspace(0.5, 1.5, N_POISSON) * RATE})  # fmt: skip
    listener = Population(
        n_neurons=1,
        equations="""
            dg/dt = -g/(20*ms) : 1
            heard : 1
            released : 1
        """,
        method="exact",
    )
    walkers = Population(
        n_neurons=N_WALKERS,
        equations="""
            dx/dt = -x/tau + sigma*sqrt(2/tau)*xi : 1
            dy/dt = -y/tau + sigma*sqrt(2/tau)*(xi_one + xi_two) : 1
            dz/dt = -z/tau + sigma*sqrt(2/(tau*dt))*eta : 1
            tau : second (shared, constant)
            sigma : 1 (shared, constant)
        """,
        parameters={"tau": TAU, "sigma": SIGMA},
    )
    pre, post = np.arange(N_POISSON), np.full(N_POISSON, N_POISSON)

    def onto(target, factor=""):
        return SynapseSet(pre, post, np.ones(N_POISSON), 1e-3, target, factor)

    network = SpikingNetwork(
        (poisson, listener, walkers), (onto("g"), onto("heard"), onto("released", f"int(rand() < {RELEASE})"))
    )
    record = Record(("g", "heard", "released", "x", "y", "z"), 1e-3)
    return both(network, Session(TRIALS, SECONDS), dt=STEP, burn_in=0.2, record=record)
