"""The warm parent of sealed methods: it outlives what they do to it, and nothing outlives the lab."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import psutil
import pytest

from simlab.checks.problem import spiking_recording
from simlab.contracts import Finding
from simlab.errors import HouseFault
from simlab.execution.execute import execute
from simlab.execution.strict import forking

LIMITS = {"entropy": 7, "time_limit": 30.0, "memory_limit": 2**29}
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Fork:
    """A method with children, or one that says what it knows of its process."""

    name: ClassVar[str] = "fork"
    question: ClassVar[str] = "topology"
    how: str = "counts"
    megabytes: int = 0

    def analyse(self, recording, rng):
        return getattr(self, self.how)()

    def counts(self):
        import threading

        return Finding({"b0": threading.active_count(), "b1": int("scipy" in sys.modules), "b2": os.getpid()})

    def uses_scipy(self):
        import scipy.special  # noqa: F401

        return self.counts()

    def shares_memory(self):
        """Ten children that share what their parent holds: no more memory than one of them."""
        held = bytearray(self.megabytes * 2**20)
        held[:: 2**12] = b"x" * len(held[:: 2**12])
        for _ in range(10):
            if os.fork() == 0:
                time.sleep(60)
        time.sleep(2.5)
        return Finding({"b0": 1, "b1": 0, "b2": len(held) % 2})

    def clings_to_life(self):
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        os.fork()
        ctypes.CDLL(None).prctl(1, 0, 0, 0, 0)  # clears the death signal
        while True:
            time.sleep(1)


def run(how: str, megabytes: int = 0, **limits) -> dict[str, int]:
    outcome = execute(Fork(how, megabytes), spiking_recording(2, 1.0), strict=True, **(LIMITS | limits))
    assert outcome.error == "", outcome
    return outcome.finding.estimate


def test_every_method_has_a_process_of_its_own_with_one_thread_and_what_earlier_ones_loaded_is_there():
    first = run("uses_scipy")
    second = run("counts")
    assert first["b2"] != second["b2"]
    assert first["b0"] == second["b0"] == 1
    assert second["b1"] == 1


def test_only_known_packages_are_loaded_into_the_parent():
    run("counts")
    forking.load(["scipy.stats", "colorsys", "fork_bomb", "toys"])
    assert "scipy.stats" in forking._server.loaded
    assert not {"colorsys", "fork_bomb", "toys"} & forking._server.loaded


def test_a_parent_that_has_died_is_replaced():
    run("counts")
    psutil.Process(forking._server.process.pid).kill()
    assert run("counts")["b0"] == 1


def test_pages_that_children_share_are_counted_once():
    """Ten children of a parent with 100 MB hold 100 MB, not 1,100."""
    assert run("shares_memory", megabytes=100, memory_limit=2**28)["b0"] == 1


def test_what_clings_to_life_ends_with_a_killed_lab(tmp_path):
    script = f"""
import sys
sys.path.insert(0, {str(HERE)!r})
from test_forking import Fork, LIMITS
from simlab.checks.problem import spiking_recording
from simlab.execution.execute import execute
execute(Fork("clings_to_life"), spiking_recording(2, 1.0), strict=True, **LIMITS)
"""
    lab = subprocess.Popen([sys.executable, "-c", script], env=os.environ | {"TMPDIR": str(tmp_path)})
    until = time.monotonic() + 60
    while len(family := psutil.Process(lab.pid).children(recursive=True)) < 3 and time.monotonic() < until:
        time.sleep(0.1)
    assert len(family) == 3  # the parent, the method, its child
    time.sleep(0.5)
    lab.kill()
    lab.wait()
    _, alive = psutil.wait_procs(family, timeout=20)
    assert alive == []


def test_no_room_for_a_sealed_method_is_the_house_s_fault(monkeypatch, tmp_path):
    run("counts")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with pytest.raises(HouseFault, match="set TMPDIR"):
        run("counts")
