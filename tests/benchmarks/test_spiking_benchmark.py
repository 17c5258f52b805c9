"""How fast the batched engine is: ratios to the plain Brian2 loop and to the bare cost of its random numbers.

Run with `pytest -m benchmark -s tests/benchmarks/test_spiking_benchmark.py`. The figures are printed, never asserted:
they are measured within one run, on whatever else the machine is doing.
"""

from concurrent.futures import ThreadPoolExecutor
from time import perf_counter, process_time

import numpy as np
import pytest
from simlab.simulators.spiking_targets import brian

from circuits.networks.balanced_ei import BalancedEI
from simlab.session import Session
from simlab.simulators.spiking import simulate

TRIALS, DURATION, STEPS = 100, 1.0, 10_000


def seconds(function, *arguments, **options):
    """Wall and processor time (all threads) [s]; the latter means something on a busy machine too."""
    wall, cpu = perf_counter(), process_time()
    function(*arguments, **options)
    return np.array([perf_counter() - wall, process_time() - cpu])


def plain_trial(network, b):
    """What a user writes: one trial, its noise from `xi`, a SpikeMonitor."""
    parameters = network.parameters
    volts = {name: parameters[name] * b.volt for name in ("rest", "v_threshold", "v_reset")}
    group = b.NeuronGroup(
        network.n_neurons,
        "dv/dt = (rest - v + external)/tau + sigma*sqrt(2/tau)*xi : volt (unless refractory)\nexternal : volt",
        threshold="v > v_threshold",
        reset="v = v_reset",
        refractory=network.refractory * b.second,
        method="euler",
        namespace={**volts, "tau": parameters["tau"] * b.second, "sigma": parameters["sigma"][0] * b.volt},
        name="plain_neurons",
    )
    group.external_[:] = parameters["external"]
    group.v_[:] = parameters["rest"]
    (wiring,) = network.synapses
    synapses = b.Synapses(group, group, "w : volt", on_pre="v_post += w", name="plain_synapses")
    synapses.connect(i=wiring.pre, j=wiring.post)
    synapses.w_[:] = wiring.weight
    synapses.delay_[:] = wiring.delay
    spikes = b.SpikeMonitor(group, name="plain_spikes")
    b.Network(group, synapses, spikes).run(DURATION * b.second)


def draw(n):
    rng, out = np.random.default_rng(0), np.empty(10_000, np.float32)
    for _ in range(n // len(out)):
        rng.standard_normal(out=out, dtype=np.float32)


@pytest.mark.benchmark
@pytest.mark.timeout(900)
def test_a_hundred_trials_against_the_plain_loop_and_the_bare_random_numbers():
    b = brian()
    network = BalancedEI().subject(np.random.default_rng(0)).network
    session, rng = Session(TRIALS, DURATION), np.random.default_rng(1)
    b.prefs.codegen.target = "cython"
    b.defaultclock.dt = 1e-4 * b.second
    plain_trial(network, b)  # warms the cache
    simulate(network, Session(1, 0.01), rng, target="cython")
    numbers = TRIALS * network.n_neurons * STEPS
    plain, ours, interpreted, drawn, halves = [], [], [], [], []
    for _ in range(3):
        plain.append(seconds(plain_trial, network, b) * TRIALS)
        ours.append(seconds(simulate, network, session, rng, target="cython", burn_in=0.0))
        interpreted.append(seconds(simulate, network, session, rng, target="numpy", burn_in=0.0))
        drawn.append(seconds(draw, numbers))
        with ThreadPoolExecutor(2) as pool:
            halves.append(seconds(lambda pool=pool: list(pool.map(draw, [numbers // 2] * 2))))
    loop, cython, numpy, one, two = (np.min(times, axis=0) for times in (plain, ours, interpreted, drawn, halves))
    print(f"\n{TRIALS} trials x {DURATION} s of {network.n_neurons} LIF neurons; best of 3, wall and processor [s]")
    print(f"  plain warm Cython loop {loop.round(1)}; batched: cython {cython.round(2)}, numpy {numpy.round(2)}")
    print(f"  random numbers alone: one thread {one.round(2)}, two threads {two.round(2)}")
    print(f"  speed-up over the loop: cython {(loop / cython).round(1)}, numpy {(loop / numpy).round(1)} (goal 10)")
    print(f"  cost over the numbers: cython {(cython / one).round(1)}, numpy {(numpy / one).round(1)} (goal 3)")
    assert cython.min() > 0


@pytest.mark.benchmark
@pytest.mark.timeout(900)
def test_what_a_neuron_second_costs_by_batch_size():
    circuit = BalancedEI()
    network = circuit.subject(np.random.default_rng(0)).network
    for target in ("cython", "numpy"):
        simulate(network, Session(1, 0.01), np.random.default_rng(1), target=target)
        for trials in (1, 10, 100, 400):
            session = Session(trials, 0.5)
            wall, cpu = seconds(simulate, network, session, np.random.default_rng(1), target=target, burn_in=0.0)
            per_step, per_second = np.array([wall, cpu]) / 5000, cpu / (trials * 0.5 * network.n_neurons)
            print(f"  {target}, {trials} trials: {(per_step * 1e6).round()} us per step (wall, processor), ", end="")
            print(f"{per_second * 1e3:.2f} ms of processor per neuron-second")
            assert cpu > 0
