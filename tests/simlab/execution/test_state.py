"""What a method changes of its process, and what it leaves behind, is put back and ended with it."""

from __future__ import annotations

import atexit
import concurrent.futures
import contextlib
import gc
import logging
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import psutil
import scipy.stats
import xarray as xr

from simlab.checks.problem import spiking_recording
from simlab.contracts import Finding
from simlab.execution.execute import execute
from simlab.execution.state import at_work, generator, put_back
from simlab.lab import memory

CHILDREN: list[subprocess.Popen] = []
LIMITS = {"entropy": 7, "time_limit": 20.0, "memory_limit": 2**29}


@dataclass(frozen=True)
class Vandal:
    """Changes all that it can reach and leaves a thread, an exit handler and a child."""

    name: ClassVar[str] = "vandal"
    question: ClassVar[str] = "topology"

    def analyse(self, recording, rng):
        np.seterr(all="raise")
        warnings.simplefilter("error")
        np.mean = memory.kept = xr.Dataset.mean = None
        memory.forget = lambda: None
        logging.disable(logging.CRITICAL)
        os.environ["VANDAL"] = "1"
        os.chdir("/")
        sys.path.insert(0, "/nowhere")
        sys.setrecursionlimit(77_777)
        sys.stdout = sys.stderr = None
        random.seed(1)
        np.random.seed(1)  # noqa: NPY002
        self.changes_what_is_seen_late()
        CHILDREN.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]))
        threading.Thread(target=loiter, name="loiterer").start()
        atexit.register(late)
        return Finding({"b0": 1, "b1": 0, "b2": 0})

    def changes_what_is_seen_late(self):
        """Nothing fails at once; means, files and folders of later methods are other ones."""
        xr.set_options(keep_attrs=True, arithmetic_join="left")
        np.setbufsize(16_384)
        np._core._methods._mean = scipy.stats.pearsonr = lambda *_, **__: 7.0
        os.umask(0o777)
        tempfile.tempdir = "/nowhere"
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        gc.callbacks.append(print)
        gc.set_threshold(1)
        logging.basicConfig(level=logging.DEBUG)
        sys.modules["scipy.stats"] = None


def loiter():
    with contextlib.suppress(SystemExit):
        while True:
            time.sleep(0.01)


def late():
    print("too late")


def surroundings() -> dict[str, object]:
    mask = os.umask(0o077)
    os.umask(mask)
    return {
        "options": xr.get_options(),
        "buffer": np.getbufsize(),
        "libraries": (np.ones(2).mean(), scipy.stats.pearsonr, sys.modules["scipy.stats"]),
        "mask": mask,
        "temporary": tempfile.tempdir,
        "files": resource.getrlimit(resource.RLIMIT_NOFILE),
        "signals": signal.pthread_sigmask(signal.SIG_BLOCK, ()),
        "collector": (gc.get_threshold(), list(gc.callbacks)),
        "log": (logging.root.level, list(logging.root.handlers)),
        "errors": np.geterr(),
        "filters": any(action == "error" for action, *_ in warnings.filters),
        "functions": (np.mean, memory.kept, memory.forget, xr.Dataset.mean),
        "logging": logging.root.manager.disable,
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "path": list(sys.path),
        "recursion": sys.getrecursionlimit(),
        "streams": (sys.stdout, sys.stderr),
        "random": random.getstate(),
        "numpy's random": np.random.get_state()[1].tolist(),  # noqa: NPY002
        "threads": set(threading.enumerate()),
        "children": {child.pid for child in psutil.Process().children()},
    }


def test_what_a_method_changes_and_leaves_is_gone_after_it(monkeypatch):
    struck = []
    unregister = atexit.unregister
    monkeypatch.setattr(atexit, "unregister", lambda handler: (struck.append(handler), unregister(handler)))
    before = surroundings()
    assert execute(Vandal(), spiking_recording(2, 1.0), **LIMITS).error == ""
    after = surroundings()
    assert {name for name in before if before[name] != after[name]} == set()
    assert struck == [late]
    assert CHILDREN[0].wait(5) is not None


def test_a_module_that_a_method_loads_stays_loaded_and_whole():
    sys.modules.pop("colorsys", None)
    with put_back():
        import colorsys

        colorsys.mine = 1
    assert sys.modules["colorsys"].mine == 1  # nobody's but the method's


def test_methods_that_use_global_random_numbers_are_repeatable():
    @dataclass(frozen=True)
    class Careless:
        name: ClassVar[str] = "careless"
        question: ClassVar[str] = "topology"

        def analyse(self, recording, rng):
            drawn = np.random.randint(10**6), random.randrange(10**6), int(rng.integers(10**6))  # noqa: NPY002
            return Finding(dict(zip(("b0", "b1", "b2"), drawn, strict=True)))

    found = [
        execute(Careless(), spiking_recording(2, 1.0), strict=strict, **LIMITS).finding.estimate
        for strict in (False, False, True)
    ]
    assert found[0] == found[1] == found[2]
    assert execute(Careless(), spiking_recording(2, 1.0), **(LIMITS | {"entropy": 8})).finding.estimate != found[0]


def test_a_thread_that_the_lab_starts_on_a_methods_behalf_goes_on():
    """A pool whose idle thread was ended never does its next task: this hung the archive, now and then."""
    with put_back():
        with at_work():
            pool = concurrent.futures.ThreadPoolExecutor(1)
            pool.submit(int).result()
        mine = concurrent.futures.ThreadPoolExecutor(1)
        mine.submit(int).result()
        (left,) = mine._threads
    assert pool.submit(lambda: 7).result(timeout=20) == 7
    pool.shutdown()
    mine._work_queue.put(None)  # wakes it, to find that it was ended
    left.join(20)
    assert not left.is_alive()


def test_in_another_thread_nothing_is_touched():
    """Other work goes on beside it there, whose settings they are as well."""
    seen = []

    def elsewhere():
        with put_back():
            os.environ["SIMLAB_TEST_KEPT"] = "1"
        seen.append(os.environ.pop("SIMLAB_TEST_KEPT", None))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert seen == ["1"]


def test_the_generator_is_the_documented_one():
    with put_back():
        mine = generator(2**100 + 3)
    assert mine.integers(2**62) == np.random.Generator(np.random.PCG64(2**100 + 3)).integers(2**62)


def test_putting_back_costs_little():
    times = []
    for _ in range(50):
        began = time.perf_counter()
        with put_back():
            pass
        times.append(time.perf_counter() - began)
    assert min(times) < 0.05  # the fastest; some 2 ms on an idle machine
