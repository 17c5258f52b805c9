"""NEST beside the lab, for comparison only: never a dependency, it has an environment of its own in the cache.

Run as a script there (`python peer_nest.py given.npz`), it prints what its build and its simulation took.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

VERSION = "3.10"
WANTED = (f"nest-simulator=={VERSION}.*", "numpy")


def environment() -> tuple[Path | None, str]:
    """The Python of an environment that has NEST, made at the first call; None and the reason if it cannot be made."""
    from simlab.caches import cache_folder

    folder = cache_folder() / "peers" / f"nest-{VERSION}-python{sys.version_info.major}.{sys.version_info.minor}"
    python, ready = folder / "bin" / "python", folder / "ready"
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *WANTED]
    if not ready.exists():
        for command in ([sys.executable, "-m", "venv", "--clear", str(folder)], install):
            try:
                subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
            except subprocess.CalledProcessError as error:
                return None, (error.stderr.strip().splitlines() or [str(error)])[-1]
            except (OSError, subprocess.TimeoutExpired) as error:
                return None, str(error)
        ready.touch()
    return python, ""


def given(network: Any, n_trials: int, duration: float, file: Path) -> Path:
    """Writes a network of `lif_network` with one set of synapses for the script, in NEST's units: ms, mV, pF, pA."""
    (neurons,), (wiring,) = network.populations, network.synapses
    parameters = neurons.parameters
    milli = {name: 1e3 * parameters[name] for name in ("tau", "rest", "v_threshold", "v_reset", "external")}
    synapses = {"pre": wiring.pre, "post": wiring.post, "weight": 1e3 * wiring.weight, "delay": 1e3 * wiring.delay}
    sizes = {"n_trials": n_trials, "duration": 1e3 * duration, "sigma": 1e3 * parameters["sigma"][0]}
    np.savez(file, refractory=1e3 * neurons.refractory, **milli, **synapses, **sizes)
    return file


def run(python: Path, file: Path) -> dict[str, Any]:
    """What the script said of the network in this file; apart from the folder of this one, whose names it knows not."""
    done = subprocess.run([str(python), "-P", __file__, str(file)], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def build(nest: Any, given: Any, dt: float = 0.1) -> tuple[Any, Any]:
    """All trials as one batch: neurons and recorder.

    NEST integrates exactly under a current that holds for a step, so that the free potential's variance is
    (tau/C std)^2 (1 - p)/(1 + p), p = exp(-dt/tau): std is such that this is sigma^2.
    """
    nest.ResetKernel()
    nest.set(resolution=dt, local_num_threads=1, rng_seed=1)
    tau, capacitance, n_trials, n = float(given["tau"]), 250.0, int(given["n_trials"]), len(given["external"])
    membrane = {"tau_m": tau, "C_m": capacitance, "E_L": float(given["rest"]), "t_ref": float(given["refractory"])}
    potentials = {"V_th": float(given["v_threshold"]), "V_reset": float(given["v_reset"])}
    neurons = nest.Create("iaf_psc_delta", n_trials * n, membrane | potentials)
    neurons.I_e = np.tile(given["external"] * capacitance / tau, n_trials)
    neurons.V_m = np.random.default_rng(1).uniform(given["v_reset"], given["v_threshold"], n_trials * n)
    kept = np.exp(-dt / tau)
    std = float(given["sigma"]) * capacitance / tau * np.sqrt((1 + kept) / (1 - kept))
    nest.Connect(nest.Create("noise_generator", params={"std": std, "dt": dt}), neurons)
    first = (1 + n * np.arange(n_trials))[:, None]
    pre, post = ((given[end] + first).ravel() for end in ("pre", "post"))
    weight, delay = (np.tile(values, n_trials) for values in (given["weight"], np.round(given["delay"] / dt) * dt))
    if len(pre):
        nest.Connect(pre, post, "one_to_one", {"weight": weight, "delay": delay})
    recorder = nest.Create("spike_recorder")
    nest.Connect(neurons, recorder)
    return neurons, recorder


def main(file: str) -> None:
    """Prints processor and wall seconds of build and simulation, spikes of each neuron, the last potentials' sd."""
    import nest

    nest.verbosity = nest.VerbosityLevel.ERROR
    given = np.load(file)
    start = time.process_time()
    neurons, recorder = build(nest, given)
    built, wall = time.process_time(), time.perf_counter()
    nest.Simulate(float(given["duration"]))
    spent = {"processor": time.process_time() - built, "wall": time.perf_counter() - wall, "build": built - start}
    n = len(given["external"])
    counts = np.bincount((np.array(recorder.events["senders"], int) - 1) % n, minlength=n)
    said = spent | {"counts": counts.tolist(), "sd": float(np.std(neurons.V_m)), "version": nest.__version__}
    print("\n" + json.dumps(said))


if __name__ == "__main__":
    main(sys.argv[1])
