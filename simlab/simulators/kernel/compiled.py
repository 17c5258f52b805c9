"""Compiled kernels: made once for a network's equations, kept on disk, shared by processes.

A kernel is a small Python module in a folder of its own in the user's cache; numba keeps its machine code beside it.
The folder's name is a hash of all that the kernel depends on: what is stated in equations, the code that writes
kernels, and the versions of what compiles them. Where it is found, Brian2 need not even be imported.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import platform
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

from simlab.caches import builds_folder
from simlab.simulators.kernel.arguments import Argument
from simlab.simulators.spiking_plan import Plan

FILE = "kernel.py"

_lock = threading.RLock()
_loaded: dict[str, Kernel] = {}


class Kernel:
    """A kernel: `advance` takes a trial from step to step, `prepare` computes what never changes.

    arguments, prepared: what they take. declared: per population, name -> `shared`, `constant` or `state` of what may
    be given a value. reason: why there is none, and Brian2 itself must run the network; empty otherwise.
    """

    def __init__(self, module: ModuleType):
        self.reason: str = module.REASON
        if not self.reason:
            self.declared: list[dict[str, str]] = module.DECLARED
            self.advance, self.prepare = module.advance, module.prepare
            self.arguments = [Argument(*each) for each in module.ARGUMENTS]
            self.prepared = [Argument(*each) for each in module.PREPARED]


def kernel_for(plan: Plan) -> Kernel:
    """The kernel of a network. Raises SimlabError for equations that cannot run at all.

    One process at a time makes it; others that want it wait, and find it on disk.
    """
    name = _name(plan)
    with _lock:
        if name not in _loaded:
            folder = _folder() / name
            folder.mkdir(exist_ok=True)
            with _alone_among_processes(folder):
                _loaded[name] = _made(folder, plan)
            with suppress(OSError):
                os.utime(folder)  # so that a purge leaves what is in use
    return _loaded[name]


def _made(folder: Path, plan: Plan) -> Kernel:
    """What is kept in a folder, or made there: anew where it is damaged."""
    if (folder / FILE).exists():
        try:
            return Kernel(_module(folder))
        except Exception:  # half a disk's worth of damage: whatever it is, the remedy is the same
            shutil.rmtree(folder)
            folder.mkdir()
    from simlab.simulators.kernel.generate import source, unkernelled

    _write(folder, source(plan))
    try:
        return Kernel(_module(folder))
    except Exception as error:  # whatever numba makes of code that Brian2 would run
        shutil.rmtree(folder / "__pycache__", ignore_errors=True)
        said = next((line for line in reversed(str(error).strip().splitlines()) if line.strip()), type(error).__name__)
        _write(folder, unkernelled(f"what numba refuses ({said.strip()})"))
        return Kernel(_module(folder))


def kernel_name() -> str:
    """For provenance: `kernel (numba 0.68.1, brian2 2.9.0)`."""
    return f"kernel (numba {version('numba')}, brian2 {version('brian2')})"


def _name(plan: Plan) -> str:
    return hashlib.sha256("\0".join([*plan.signature(), *_makers()]).encode()).hexdigest()[:32]


@cache
def _makers() -> tuple[str, ...]:
    """The code that writes kernels, and the versions of what compiles them."""
    here = Path(__file__).parent
    files = sorted(
        [
            *here.glob("*.py"),
            *here.parent.glob("brian/*.py"),
            *here.parent.glob("spiking_*.py"),
            here.parent / "normals.py",
        ]
    )
    code = hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()
    return code, platform.python_version(), *(f"{name} {version(name)}" for name in ("brian2", "numba", "numpy"))


def _folder() -> Path:
    """Where kernels are kept: in the user's cache, or for this process alone where that cannot be written to."""
    try:
        folder = builds_folder()
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder):
            return folder
    except OSError:
        return _own_folder()


@cache
def _own_folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="simlab-kernels-"))


@contextmanager
def _alone_among_processes(folder: Path) -> Iterator[None]:
    """Holds a kernel's lock, where the file system has locks."""
    with open(f"{folder}.lock", "w") as file:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _write(folder: Path, text: str) -> None:
    with tempfile.NamedTemporaryFile("w", dir=folder, suffix=".tmp", delete=False) as file:
        file.write(text)
    os.replace(file.name, folder / FILE)


def _module(folder: Path) -> ModuleType:
    """Imports a kernel, which compiles it unless that was done."""
    name = f"simlab_kernel_{folder.name}"
    spec = importlib.util.spec_from_file_location(name, folder / FILE)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)  # where numba looks for it
    spec.loader.exec_module(module)
    return module
