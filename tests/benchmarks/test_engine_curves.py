"""What the spiking engine costs by size, in two processes, and from cold; printed, never asserted by the clock.

Run with `pytest -n 0 -m benchmark -s tests/benchmarks/test_engine_curves.py`; each table is of one run.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import engine_work
import numpy as np
import pytest
from engine_work import SYNAPSES_EACH, driven, sessions_in_processes
from stopwatch import Spent, best, launched, one_core, seconds

from circuits.networks.balanced_ei import BalancedEI
from simlab.running.executors import IN_WORKERS
from simlab.session import Session
from simlab.simulators.spiking import SpikingNetwork, simulate

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(3600)]


class Cost(NamedTuple):
    """setup: processor seconds before the first step. each: per neuron-second after that. spikes: per neuron-second."""

    setup: float
    each: float
    spikes: float


def cost(network: SpikingNetwork, duration: float, rounds: int = 2) -> Cost:
    """From a run of one trial and one a tenth as long."""
    times: dict[float, list[Spent]] = {duration / 10: [], duration: []}
    found: dict[float, int] = {}

    def once(length: float) -> None:
        spikes = simulate(network, Session(1, length), np.random.default_rng(1), burn_in=0.0)
        found[length] = len(spikes.time)

    for _ in range(rounds):
        for length, kept in times.items():
            kept.append(seconds(lambda length=length: once(length)))
    (short, long), more = (best(kept).processor for kept in times.values()), 0.9 * duration * network.n_neurons
    each = (long - short) / more
    return Cost(
        short - each * 0.1 * duration * network.n_neurons, each, (found[duration] - found[duration / 10]) / more
    )


def factor(values: list[float]) -> str:
    """By how much the dearest and the cheapest differ, and of how many; a difference lost in noise may be negative."""
    measured = [value for value in values if value > 0]
    left = "" if len(measured) == len(values) else f" ({len(measured)} of {len(values)}, the others lost in noise)"
    return f"{max(measured) / min(measured):.1f}{left}" if measured else "unknown"


def test_cost_by_neurons_and_spikes_delivered(capsys):
    per_neuron, per_delivery = [], []
    with one_core(), capsys.disabled():
        print(f"\nneurons, {SYNAPSES_EACH} synapses each; one trial, one core, processor seconds")
        print("neurons   synapses  set-up [s]  ms per neuron-second  ns per spike delivered")
        simulate(driven(100, connected=True), Session(1, 0.01), np.random.default_rng(1))  # compiles
        for n_neurons in (100, 1_000, 10_000, 100_000):
            duration = max(2_000 / n_neurons, 0.04)
            alone, wired = (cost(driven(n_neurons, connected=c), duration) for c in (False, True))
            per_neuron.append(alone.each)
            per_delivery.append((wired.each - alone.each) / (wired.spikes * SYNAPSES_EACH))
            print(f"{n_neurons:7} {n_neurons * SYNAPSES_EACH:10} {wired.setup:11.2f}", end="")
            print(f" {1e3 * alone.each:21.3f} {1e9 * per_delivery[-1]:23.1f}")
        print(f"linear within a factor of {factor(per_neuron)} in neurons, {factor(per_delivery)} in spikes delivered")
    assert wired.spikes > 50


def test_cost_by_trials(capsys):
    network, each = BalancedEI().subject(np.random.default_rng(0)).network, []
    with one_core(), capsys.disabled():
        print("\ntrials x 0.5 s of the balanced network, whole calls, one core: processor ms per neuron-second")
        simulate(network, Session(1, 0.01), np.random.default_rng(1))  # compiles
        for trials in (1, 10, 100, 400):
            session, times = Session(trials, 0.5), []
            for _ in range(3 if trials < 400 else 1):
                rng = np.random.default_rng(1)
                times.append(seconds(lambda s=session, r=rng: simulate(network, s, r, burn_in=0.0)))
            each.append(best(times).processor / (trials * 0.5 * network.n_neurons))
            print(f"{trials:4} trials: {1e3 * each[-1]:.3f}")
        print(f"linear within a factor of {factor(each)} in trials, {factor(each[1:])} from 10 trials on")
    assert min(each) > 0


def test_two_processes_against_one(capsys, monkeypatch):
    for name, value in IN_WORKERS.items():
        monkeypatch.setenv(name, value)
    wall: dict[int, list[float]] = {1: [], 2: []}
    processor: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(2):
        for workers in (1, 2):
            spent, used = sessions_in_processes(workers, 4)
            wall[workers].append(spent)
            processor[workers].append(used)
    one, two = (min(processor[workers]) for workers in (1, 2))
    with capsys.disabled():
        print(
            f"\n4 sessions of 100 trials x 1 s in two processes: {min(wall[1]) / min(wall[2]):.2f} x one (goal >= 1.9)"
        )
        print(f"wall {min(wall[1]):.1f} s in one, {min(wall[2]):.1f} s in two; processor {one:.1f} and {two:.1f} s:")
        print(f"on two idle cores {2 * one / two:.2f} x at best; load of the machine {os.getloadavg()[0]:.1f}")
    assert two > 0


def empty_caches(folder: Path) -> dict[str, str]:
    """The environment of a process to which nothing has ever been compiled."""
    folder.mkdir()
    return {**os.environ, "XDG_CACHE_HOME": str(folder / "cache"), "NUMBA_CACHE_DIR": str(folder / "numba")}


def test_first_result_of_a_new_circuit_from_cold(tmp_path, capsys):
    environment, word = empty_caches(tmp_path / "empty"), f"novel_{uuid4().hex[:8]}"
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    with capsys.disabled():
        print("\na network whose equations are new, 1 trial x 0.2 s; from the start of the process to the result")
        for state in ("empty caches", "then again"):
            start = time.time()
            said, spent = launched([sys.executable, "-P", engine_work.__file__, word], env=environment)
            moment, spikes, engine = said.splitlines()[-1].split(maxsplit=2)
            print(f"{state}: {float(moment) - start:.1f} s (goal <= 8), processor {spent.processor:.1f} s; {engine}")
            assert int(spikes) > 0


def first_light(out: Path, environment: dict[str, str]) -> Any:
    """Runs it into a folder, with an archive of its own, and returns its table and what it took."""
    from simlab.results import Results

    command = [sys.executable, "-m", "simlab", "run", "first_light", "--out", str(out / "run")]
    _, spent = launched(command, env={**environment, "SIMLAB_ARCHIVE": str(out / "archive")})
    return Results(out / "run").table, spent


def test_first_light_from_cold_and_warm(tmp_path, capsys):
    environment = empty_caches(tmp_path / "empty")
    columns = ["seconds_simulation", "seconds_recording", "seconds_analysis"]
    for state in ("cold", "warm"):
        table, spent = first_light(tmp_path / state, environment)
        parts = ", ".join(f"{name.removeprefix('seconds_')} {table[name].sum():.0f}" for name in columns)
        with capsys.disabled():
            print(
                f"\nfirst_light, caches of compiled code {state}, nothing archived: {spent.wall:.0f} s, processor ",
                end="",
            )
            print(
                f"{spent.processor:.0f} s; computing {table[columns].sum().sum():.0f} s ({parts}), {len(table)} cells"
            )
        assert (table["status"] != "error").all()
