"""The same network as one C++ program, for long runs of few neurons, where Python around each step costs the most.

The project is kept in the user's cache, one folder for each signature and size: files whose code has not changed
are not compiled again. Noise is drawn by Brian2's own generator, so spikes differ from those of the other targets.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np

from simlab.caches import builds_folder
from simlab.simulators.spiking_network import Plan, build
from simlab.simulators.spiking_targets import alone, brian

OPENMP_CELLS, OPENMP_THREADS = 5000, 2
"""Networks from this size on are shared by two threads: a fixed number, for it decides which numbers are drawn."""


def run_standalone(plan: Plan, n_trials: int, rng: np.random.Generator, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(step, cell) of every spike, the burn-in's included, of `n_trials` replicates."""
    b = brian()
    threads = OPENMP_THREADS if n_trials * plan.network.n_neurons >= OPENMP_CELLS else 0
    with alone():
        before = b.prefs.devices.cpp_standalone.openmp_threads
        b.prefs.devices.cpp_standalone.openmp_threads = threads
        b.set_device("cpp_standalone", build_on_run=False)
        device = b.get_device()
        try:
            b.seed(seed)
            objects = build(plan, n_trials, rng)
            group = objects[0]
            if plan.uses("eta"):
                group.run_regularly("eta = randn()", clock=group.clock, when="start", name="simlab_noise")
            monitor = b.SpikeMonitor(group, name="simlab_monitor")
            b.Network([*objects, monitor]).run(plan.steps * plan.dt * b.second, namespace={})
            folder = _folder(plan, n_trials, threads)
            with b.utils.filelock.FileLock(str(folder) + ".lock"):
                device.build(directory=str(folder), compile=True, run=True, with_output=False)
                steps, cells = np.rint(monitor.t_[:] / plan.dt).astype(int), np.array(monitor.i[:])
        finally:
            device.reinit()
            b.set_device("runtime")
            b.prefs.devices.cpp_standalone.openmp_threads = before
    return steps, cells


def _folder(plan: Plan, n_trials: int, threads: int) -> Path:
    sizes = (n_trials, plan.network.n_neurons, threads, *(len(s.pre) for s in plan.synapses()))
    text = "\0".join((*plan.signature(), *map(str, sizes), os.environ.get("CXX", "")))
    folder = builds_folder() / hashlib.sha256(text.encode()).hexdigest()[:32]
    folder.mkdir(parents=True, exist_ok=True)
    os.utime(folder)  # so that a purge leaves what is in use
    return folder
