"""Connectivity methods on an hour of 20 units at 1.3 Hz (94,000 spikes), beside published packages.

Ratios are of runs within one process, on one core; run with `pytest -m benchmark -s tests/benchmarks`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from time import perf_counter

import numpy as np
import pytest

from methods.wiring._lagged_design import LaggedDesign
from methods.wiring._pairs import lag_counts, on_grid
from methods.wiring._poisson import fit_couplings
from methods.wiring.coupling_glm import CouplingGLM, raised_cosines
from methods.wiring.cross_correlogram import CrossCorrelogram
from simlab.data import recording

pytestmark = pytest.mark.benchmark

HERE = Path(__file__).parent
N_UNITS, RATE, DURATION = 20, 1.3, 3600.0
PEAK_OF_GLM = """
import re
from pathlib import Path
import numpy as np
from test_connectivity_benchmark import world
from methods.wiring.coupling_glm import CouplingGLM
hour = world()
peak = lambda: re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1]
start = peak()
CouplingGLM().analyse(hour, np.random.default_rng(0))
print(start, peak())
"""
"""VmHWM, since Linux lets a child's ru_maxrss start at its parent's."""


def world(n_units: int = N_UNITS, duration: float = DURATION):
    """One trial of independent Poisson units."""
    rng = np.random.default_rng(0)
    counts = rng.poisson(RATE * duration, n_units)
    unit = np.repeat(np.arange(n_units), counts)
    spikes = (np.zeros(len(unit), dtype=int), rng.uniform(0, duration, len(unit)), unit)
    return recording(duration=duration, n_units=n_units, n_trials=1, spikes=spikes)


def _seconds(run, repeats: int = 3) -> float:
    times = []
    for _ in range(repeats):
        start = perf_counter()
        run()
        times.append(perf_counter() - start)
    return min(times)


def test_all_pairs_of_correlograms_against_elephant_per_pair():
    import quantities as pq
    from elephant.conversion import BinnedSpikeTrain
    from elephant.spike_train_correlation import cross_correlation_histogram
    from neo import SpikeTrain

    hour = world()
    ticks = on_grid(hour, 0.001)
    times = [(ticks.tick[ticks.unit == unit] + 0.5) * 1e-3 for unit in (0, 1)]
    trains = [BinnedSpikeTrain(SpikeTrain(t * pq.s, t_stop=DURATION * pq.s), bin_size=1 * pq.ms) for t in times]
    ours = _seconds(lambda: lag_counts(on_grid(hour, 0.001), 50))
    pair = _seconds(lambda: cross_correlation_histogram(*trains, window=[-50, 50], border_correction=False))
    method = _seconds(lambda: CrossCorrelogram().analyse(hour, np.random.default_rng(0)))
    n_pairs = N_UNITS * (N_UNITS - 1) // 2
    ratio = pair * n_pairs / ours
    print(f"\n{hour.sizes['spike']} spikes, +-50 ms in 1 ms bins, {n_pairs} pairs; the whole method {method:.3f} s")
    print(f"counting all {ours:.3f} s, elephant {pair:.3f} s per pair: {ratio:.0f} x")
    elephants, _ = cross_correlation_histogram(*trains, window=[-50, 50], border_correction=False)
    np.testing.assert_array_equal(lag_counts(ticks, 50)[0, 1], elephants.magnitude.ravel().astype(int))


def test_coupling_glm_time_and_memory():
    hour = world()
    seconds = _seconds(lambda: CouplingGLM().analyse(hour, np.random.default_rng(0)), repeats=2)
    done = subprocess.run([sys.executable, "-c", PEAK_OF_GLM], cwd=HERE, capture_output=True, text=True, check=True)
    before, peak = (int(kilobytes) / 2**20 for kilobytes in done.stdout.split())
    print(f"\ncoupling GLM, {hour.sizes['spike']} spikes: {seconds:.2f} s (goal <= 20 s)")
    print(f"peak memory {peak:.2f} GiB, {before:.2f} before (goal <= 2 GiB)")
    assert peak < 2.0


def test_coupling_glm_against_nemos_on_a_scaled_down_hour():
    import jax
    import nemos

    jax.config.update("jax_enable_x64", True)
    n_units, duration, n_lags = 5, 240.0, 20
    ticks = on_grid(world(n_units, duration), 0.001)
    basis = raised_cosines(n_lags, 4)
    counts = np.zeros((ticks.n_ticks, n_units))
    np.add.at(counts, (ticks.tick, ticks.unit), 1)

    def design() -> np.ndarray:
        lagged = np.stack([counts[n_lags - lag : ticks.n_ticks - lag] for lag in range(1, n_lags + 1)], axis=-1)
        return (lagged @ basis).reshape(len(lagged), -1)

    rows = design()
    strength = 1.0 / len(rows)
    model = nemos.glm.PopulationGLM(regularizer="Ridge", regularizer_strength=strength, solver_name="LBFGS")
    model.fit(rows, counts[n_lags:])  # compiles
    theirs = _seconds(lambda: model.fit(design(), counts[n_lags:]), repeats=2)
    settings = {"ridge": 1.0, "max_iterations": 30, "tolerance": 1e-6}
    ours = _seconds(lambda: fit_couplings(LaggedDesign(ticks, n_lags), basis, **settings))
    print(f"\n{n_units} units x {duration:.0f} s: {ours:.3f} s, nemos compiled {theirs:.2f} s: {theirs / ours:.0f} x")
    found = fit_couplings(LaggedDesign(ticks, n_lags), basis, **settings).weights.reshape(-1, n_units)
    np.testing.assert_allclose(found, np.asarray(model.coef_), atol=0.05)
