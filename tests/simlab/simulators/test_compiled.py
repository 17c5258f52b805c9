"""Kernels are compiled once for a network's equations, kept on disk, and shared by processes."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import lif_bench
import numpy as np
import pytest
from lif_bench import altered, lif, noisy, run, same

from simlab import litter
from simlab.session import Session
from simlab.simulators.kernel import compiled
from simlab.simulators.spiking_plan import Plan, Record

PROGRAM = """
import json, sys
sys.path.insert(0, sys.argv[1])
from lif_bench import noisy, run
from simlab.caches import builds_folder
from simlab.session import Session
found = run(noisy(20, 0), Session(4, 0.3))
kernels = [p for p in builds_folder().iterdir() if p.is_dir()]
code = sorted(p.name for k in kernels for p in (k / "__pycache__").iterdir())
run(noisy(33, 5), Session(9, 0.2), dt=2e-4)
again = sorted(p.name for k in builds_folder().iterdir() if k.is_dir() for p in (k / "__pycache__").iterdir())
print(json.dumps({"spikes": len(found.time), "sum": float(found.time.sum()), "kernels": len(kernels),
                  "compiled_once": code == again, "brian2": "brian2" in sys.modules}))
"""


def plan(network=None, **changes):
    return Plan(network or noisy(), Session(1, 0.1), (), 0, 1000, 1e-4, **changes)


@pytest.fixture
def cold(tmp_path, monkeypatch):
    """An empty cache, and no kernel in memory."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(compiled, "_loaded", {})
    return tmp_path / "cache" / "simlab" / "builds"


@pytest.fixture
def filled(processes, cold, tmp_path, monkeypatch):
    """A copy of the cache that the processes have filled with the kernel of `noisy`, and none in memory."""
    shutil.copytree(processes.cache, tmp_path / "cache")
    return cold


class Processes(NamedTuple):
    """What each of three processes has found, and the cache that they had in common."""

    found: list[dict]
    cache: Path


@pytest.fixture(scope="module")
def processes(tmp_path_factory):
    """Two processes at once on one cold cache, and then a third."""
    cache = tmp_path_factory.mktemp("cache")
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    command = [sys.executable, "-c", PROGRAM, str(Path(lif_bench.__file__).parent)]

    def start():
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    both = [start() for _ in range(2)]
    outputs = [process.communicate(timeout=240) for process in both]
    outputs.append(start().communicate(timeout=240))
    assert not any(err for _, err in outputs), outputs
    return Processes([json.loads(out) for out, _ in outputs], cache)


def test_one_compilation_serves_subjects_sizes_trials_steps_and_processes(processes):
    assert [each["kernels"] for each in processes.found] == [1, 1, 1]
    assert all(each["compiled_once"] for each in processes.found)
    assert len({(each["spikes"], each["sum"]) for each in processes.found}) == 1


def test_only_who_writes_a_kernel_imports_brian2(processes):
    assert sum(each["brian2"] for each in processes.found[:2]) == 1
    assert not processes.found[2]["brian2"]


def test_a_kernel_that_is_damaged_is_made_anew(filled):
    expected = run(noisy(), Session(2, 0.1))
    (kernel,) = [path for path in filled.iterdir() if path.is_dir()]
    for damage in ("kernel.py", "index"):
        compiled._loaded.clear()
        for file in [kernel / "kernel.py"] if damage == "kernel.py" else (kernel / "__pycache__").glob("*.nb*"):
            file.write_text("\x00 not what it was")
        assert same(run(noisy(), Session(2, 0.1)), expected)


def test_a_cache_that_cannot_be_written_to_is_done_without(tmp_path, monkeypatch):
    expected = run(lif(3, bias=30e-3), Session(1, 0.2))
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    monkeypatch.setattr(compiled, "_loaded", {})
    assert same(run(lif(3, bias=30e-3), Session(1, 0.2)), expected)


def test_a_purge_leaves_the_kernels_that_are_in_use(filled):
    (kernel,) = [path for path in filled.iterdir() if path.is_dir()]
    long_ago = time.time() - 2 * litter.BUILDS_KEPT
    os.utime(kernel, (long_ago, long_ago))
    compiled.kernel_for(plan())
    assert litter.purge_builds() == 0
    os.utime(kernel, (long_ago, long_ago))
    assert litter.purge_builds() == 1
    assert list(filled.iterdir()) == []


def test_a_name_is_of_the_equations_and_of_nothing_that_is_data():
    def name(*arguments, **changes):
        return compiled._name(plan(*arguments, **changes))

    assert name(noisy(20, 0)) == name(noisy(30, 1)) == name(altered(noisy(), refractory=5e-3))
    others = [lif(20), altered(noisy(), reset="v = -61*mV"), altered(noisy(), refractory=0.0)]
    names = {name(), *map(name, others), name(record=Record(("v",)))}
    assert len(names) == 2 + len(others)
    assert np.all([len(each) == 32 for each in names])


def test_what_numba_refuses_goes_to_brian2_with_what_it_said(cold, monkeypatch):
    from simlab.simulators.kernel import generate

    original = generate.source
    monkeypatch.setattr(
        generate, "source", lambda plan: original(plan).replace("step * dt", "step * dt.imaginary_part")
    )
    expected = run(noisy(), Session(1, 0.05), engine="brian2")
    for _ in range(2):  # as it was found, and as it is kept
        found = run(noisy(), Session(1, 0.05))
        assert same(found, expected)
        assert "as no kernel expresses what numba refuses" in found.engine
        compiled._loaded.clear()
