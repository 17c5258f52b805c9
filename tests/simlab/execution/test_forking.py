"""The warm parent of sealed methods: it outlives what they do to it, and nothing outlives the lab."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import ClassVar

import psutil
import pytest

from simlab.checks.problem import PracticeRig, spiking_recording
from simlab.contracts import Budget, Finding
from simlab.errors import HouseFault
from simlab.execution.execute import execute
from simlab.execution.strict import fork_server, forking

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

    def investigate(self, rig, rng):
        return getattr(self, self.how)()

    def waits(self):
        time.sleep(1.5)
        return self.counts()

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
    until = time.monotonic() + 30
    while run("counts")["b1"] == 0 and time.monotonic() < until:
        time.sleep(0.1)
    assert run("counts")["b1"] == 1


def test_only_known_packages_are_loaded_into_the_parent():
    run("counts")
    others = ["colorsys", "fork_bomb", "toys", "numpy.f2py.__main__", "sklearn.conftest", "scipy.stats.tests.test_fit"]
    forking.load(["scipy.stats", *others])
    assert "scipy.stats" in forking._server.loaded
    assert not set(others) & forking._server.loaded


def test_the_parent_loads_no_module_that_would_end_delay_or_change_it(tmp_path):
    """Each is tried in a child first; what raises is no harm, and is left out."""
    modules = {
        "ends": "raise SystemExit",
        "dies": "import os; os.abort()",
        "computes": "while True: pass",
        "starts_a_thread": "import threading; threading.Thread(target=threading.Event().wait).start()",
        "warns": "import numpy; numpy.seterr(all='raise')",
        "raises": "raise ValueError",
        "sound": "import colorsys",
    }
    for name, code in modules.items():
        (tmp_path / f"{name}.py").write_text(code)
    script = f"""
import os, sys
sys.path.insert(0, {str(tmp_path)!r})
from simlab.execution.strict import fork_server
fork_server.TRIAL = 1
for name in {list(modules)}:
    if (pid := os.fork()) == 0:
        fork_server._attempt([name])
    if os.waitpid(pid, 0)[1] == 0:
        print(name)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["raises", "sound"], done.stderr


def test_a_user_s_own_module_goes_before_an_installed_one_of_its_name(monkeypatch):
    for name in ("oasis", "oasis.functions", "neo"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
        sys.modules[name].__file__ = f"/site-packages/{name.replace('.', '/')}/__init__.py"
    finder = fork_server.Roots({})
    fork_server._find({"oasis": "/home/user/oasis.py", "neo": "/site-packages/neo"}, finder)
    assert not {"oasis", "oasis.functions"} & set(sys.modules)
    assert "neo" in sys.modules


def test_a_parent_that_has_died_is_replaced_once_whoever_notices():
    run("counts")
    old = forking._server
    psutil.Process(old.process.pid).kill()
    assert run("counts")["b0"] == 1
    new = forking._server
    forking._forget(old)  # as another thread does, which met the dead one too
    assert run("counts")["b0"] == 1
    assert forking._server is new


def test_a_killed_parent_is_not_held_against_the_method():
    """A passive method is begun again; what an active one has spent is gone, and its cell is a fault of the house."""
    run("counts")
    for rig in (False, True):
        server = psutil.Process(forking._running().process.pid)
        killer = threading.Timer(0.7, server.kill)
        killer.start()
        if rig:
            with pytest.raises(forking.ServerDied):
                execute(Fork("waits"), PracticeRig({}, Budget()), strict=True, **LIMITS)
        else:
            assert run("waits")["b0"] == 1
        killer.join()


def test_a_lab_with_many_open_files_can_seal():
    run("counts")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(2048, hard), hard))
    handles = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    try:
        assert run("counts")["b0"] == 1
    finally:
        for handle in handles:
            os.close(handle)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_pages_that_children_share_are_counted_once():
    """Ten children of a parent with 100 MB hold 100 MB, not 1,100."""
    assert run("shares_memory", megabytes=100, memory_limit=2**28)["b0"] == 1


def test_what_clings_to_life_ends_with_a_killed_lab(tmp_path):
    script = f"""
import sys
sys.path.insert(0, {str(HERE)!r})
from test_forking import Fork, LIMITS
from simlab.checks.problem import PracticeRig, spiking_recording
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
