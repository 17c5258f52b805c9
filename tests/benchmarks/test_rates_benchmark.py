"""How fast the rate engine is: seconds and ratios to loops that a skilled user writes with numba in a dozen lines.

Run with `pytest -m benchmark -s tests/benchmarks/test_rates_benchmark.py`. The figures are printed, never asserted:
best of several, alternating, within one run, compiling left out. The loops do all trials at once with one BLAS product
per step and draw from the NumPy generator that they are given. BLAS keeps to one thread: on a busy machine its threads
wait for one another, and a loop by hand would seem slower than it is.
"""

from __future__ import annotations

import subprocess
import sys
from math import exp, pi, sqrt
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import pytest

from circuits.networks.coupled_rates import CoupledRates
from simlab.session import Effect, Session
from simlab.simulators.rates import RateNetwork, simulate
from simlab.simulators.transfers import _ERFC as FIT
from simlab.simulators.transfers import integrate_and_fire, logistic

numba = pytest.importorskip("numba")
pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1800)]

HERE = Path(__file__).parent
REPEATS = 5
N, TAU, DT = 200, 0.01, 1e-3
NEURON = {"threshold": 0.02, "reset": 0.01, "tau": 0.02, "refractory": 0.002, "noise": 0.005}
NODES, NODE_WEIGHTS = np.polynomial.legendre.leggauss(12)
COLD = """
import re
from pathlib import Path
from time import process_time
import jax, numpy
from test_rates_benchmark import networks, ours
jax.numpy.zeros(1).block_until_ready()
kilobytes = lambda key: int(re.search(key + r":\\s*(\\d+)", Path("/proc/self/status").read_text())[1])
network, start, before = networks()[{name!r}], process_time(), kilobytes("VmRSS")
ours(network, {trials}, {seconds}, {dt})
print(process_time() - start, (kilobytes("VmHWM") - before) / 1024)
"""


@numba.njit
def coupled_loop(rng, weights, noise, trials, burn_in, steps):
    """The map of `coupled_rates`."""
    n = len(weights)
    rate, x = np.empty((trials, steps, n), np.float32), np.zeros((trials, n))
    for step in range(burn_in + steps):
        drive = x @ weights
        for trial in range(trials):
            for i in range(n):
                if step >= burn_in:
                    rate[trial, step - burn_in, i] = x[trial, i]
                x[trial, i] = 1 / (1 + exp(-drive[trial, i] - noise * rng.standard_normal()))
    return rate


@numba.njit
def logistic_loop(rng, weights, bias, noise, trials, steps):
    """Euler-Maruyama steps of logistic units."""
    n, h, kick = len(weights), DT / TAU, noise * sqrt(DT / TAU)
    rate, x = np.empty((trials, steps, n), np.float32), np.zeros((trials, n))
    for step in range(steps):
        drive = x @ weights
        for trial in range(trials):
            for i in range(n):
                rate[trial, step, i] = x[trial, i]
                r = 1 / (1 + exp(-drive[trial, i] - bias))
                x[trial, i] += h * (r - x[trial, i]) + kick * rng.standard_normal()
    return rate


@numba.njit
def siegert(drive, threshold, reset, tau, refractory, noise):
    """Rate [Hz] of an integrate-and-fire neuron, by the engine's own quadrature and fit of exp(x^2) erfc(x)."""
    high = min((threshold - drive) / (sqrt(2) * noise), 25.0)
    low = min((reset - drive) / (sqrt(2) * noise), high - 1e-9)
    total = 0.0
    for node, weight in zip(NODES, NODE_WEIGHTS):  # noqa: B905  numba's zip takes no `strict`
        x = (high + low) / 2 + (high - low) / 2 * node
        t, power = 1 / (1 + abs(x) / 2), 0.0
        for coefficient in FIT:
            power = power * t + coefficient
        tail = t * exp(power)
        total += weight * (tail if x < 0 else 2 * exp(x * x) - tail)
    return 1 / (refractory + tau * sqrt(pi) * total * (high - low) / 2)


@numba.njit
def neuron_loop(rng, weights, bias, noise, trials, steps, threshold, reset, tau, refractory, sd):
    """Euler-Maruyama steps of integrate-and-fire units."""
    n, h, kick = len(weights), DT / TAU, noise * sqrt(DT / TAU)
    rate, x = np.empty((trials, steps, n), np.float32), np.zeros((trials, n))
    for step in range(steps):
        drive = x @ weights
        for trial in range(trials):
            for i in range(n):
                rate[trial, step, i] = x[trial, i]
                r = siegert(drive[trial, i] + bias, threshold, reset, tau, refractory, sd)
                x[trial, i] += h * (r - x[trial, i]) + kick * rng.standard_normal()
    return rate


def networks() -> dict:
    """What is run: a subject of the circuit, and two dense random networks."""
    weights = np.random.default_rng(3).normal(0, 1 / np.sqrt(N), (N, N))
    return {
        "coupled_rates": CoupledRates().subject(np.random.default_rng(0)),
        "logistic": RateNetwork(weights, TAU, logistic, bias=0.2, state_noise=0.3),
        "integrate_and_fire": RateNetwork(
            weights * 1e-4, TAU, integrate_and_fire, tuple(NEURON.values()), bias=0.015, state_noise=5.0
        ),
    }


def ours(network, trials: int, seconds: float, dt: float, effects=()) -> np.ndarray:
    """The engine; a circuit's subject as the lab runs it."""
    session, rng = Session(trials, seconds, perturbations=effects), np.random.default_rng(1)
    if isinstance(network, RateNetwork):
        return simulate(network, session, rng, dt=dt, sample_interval=dt)[1]
    return network.run(session, rng)["rate"].values


def theirs(name: str, network, trials: int, steps: int) -> np.ndarray:
    """The loop that does the same."""
    rng = np.random.default_rng(1)
    if name == "coupled_rates":
        return coupled_loop(rng, network.weights, 1.0, trials, 100, steps)
    if name == "logistic":
        return logistic_loop(rng, network.weights, 0.2, 0.3, trials, steps)
    return neuron_loop(rng, network.weights, 0.015, 5.0, trials, steps, *NEURON.values())


def seconds_of(*calls) -> list[np.ndarray]:
    """Wall and processor seconds (all threads) of each call: best of several, alternating."""
    for call in calls:
        call()  # compiles
    spent = np.zeros((REPEATS, len(calls), 2))
    for once in spent:
        for i, call in enumerate(calls):
            wall, processor = perf_counter(), process_time()
            call()
            once[i] = perf_counter() - wall, process_time() - processor
    return list(spent.min(axis=0))


@pytest.fixture(autouse=True)
def one_thread():
    import scipy.linalg.cython_blas  # noqa: F401  numba's products: a library is limited only once it is loaded
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        yield


CASES = [
    ("coupled_rates", 100, 2000, 0.01),
    ("coupled_rates", 1, 100_000, 0.01),
    ("coupled_rates", 1000, 10, 0.01),
    ("logistic", 20, 2000, DT),
    ("logistic", 1, 40_000, DT),
    ("integrate_and_fire", 20, 2000, DT),
]


def test_the_engine_against_loops_by_hand(capsys):
    lines = []
    for name, trials, steps, dt in CASES:
        network = networks()[name]
        mine, loop = seconds_of(
            lambda n=network, t=trials, s=steps, d=dt: ours(n, t, s * d, d),
            lambda k=name, n=network, t=trials, s=steps: theirs(k, n, t, s),
        )
        each = [f"{value:7.3f}" for pair in zip(mine, loop, mine / loop, strict=True) for value in pair]
        lines.append(f"{name:20s}{trials:5d} x {steps * dt:6g} s  {'  '.join(each)}")
        found, expected = (np.asarray(rate)[:, steps // 2 :] for rate in (
            ours(network, trials, steps * dt, dt), theirs(name, network, trials, steps)))  # fmt: skip
        assert found.shape == expected.shape
        assert found.mean() == pytest.approx(expected.mean(), rel=0.02)
        assert found.std() == pytest.approx(expected.std(), rel=0.02)
    with capsys.disabled():
        print(f"\n{'':38s}wall: engine, loop, ratio    processor: engine, loop, ratio (goal <= 1.5 each)")
        print("\n".join(lines))


def test_what_perturbations_cost(capsys):
    network, half = networks()["logistic"], np.arange(N) < N // 2
    effects = {
        "drive": Effect("drive", half * 1.0, 0.5, 1.5),
        "hold": Effect("hold", np.where(half, 0.5, np.nan), 0.5, 1.5),
        "gain per unit": Effect("gain", np.where(half, 0.5, 1.0), 0.5, 1.5),
        "gain per pair": Effect("gain", np.where(half[:, None] & half, 0.5, 1.0), 0.5, 1.5, trials=(0, 1), over="pair"),
    }
    sessions = ((), *((effect,) for effect in effects.values()))
    free, *each = seconds_of(*(lambda e=e: ours(network, 20, 2.0, DT, e) for e in sessions))
    with capsys.disabled():
        print(f"\n{N} logistic units, 20 trials x 2 s: processor {free[1]:.3f} s; with a ", end="")
        print("; ".join(f"{kind} {spent[1] / free[1]:.2f} x" for kind, spent in zip(effects, each, strict=True)))
    assert all(spent.min() > 0 for spent in each)


def test_the_first_call_and_memory(capsys):
    lines = []
    for name, trials, steps, dt in (CASES[0], CASES[3], CASES[5]):
        code = COLD.format(name=name, trials=trials, seconds=steps * dt, dt=dt)
        done = subprocess.run([sys.executable, "-c", code], cwd=HERE, capture_output=True, text=True, check=True)
        first, memory = map(float, done.stdout.split())
        result = trials * steps * (25 if name == "coupled_rates" else N) * 4 / 2**20
        lines.append(f"{name}: first call {first:.2f} s of processor, {memory:.0f} MiB (the rates alone {result:.0f})")
        assert memory > result / 2
    with capsys.disabled():
        print("\n" + "\n".join(lines))
