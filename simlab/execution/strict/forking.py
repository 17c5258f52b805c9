"""The lab's end of the fork server: one per process of the lab, started at first use."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, BinaryIO

from simlab.errors import HouseFault
from simlab.execution.strict import fork_server
from simlab.execution.strict.places import installed_path, root_of

STARTUP = 120.0
"""Seconds that Python and its packages may take to load; they count against nobody."""

ONE_THREAD = {
    "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false", "JAX_PLATFORMS": "cpu", "MPLBACKEND": "Agg",
}  # fmt: skip
"""A fork is sound in a process of one thread only, and sums must not depend on how many threads made them."""

WARM = (
    "scipy", "sklearn", "pandas", "statsmodels", "patsy", "numba", "llvmlite", "joblib", "threadpoolctl", "elephant",
    "neo", "quantities", "gudhi", "oasis", "xarray", "numpy", "cloudpickle", "packaging",
)  # fmt: skip
"""Packages that the server loads once a method has needed them: much used, installed with simlab, free of threads."""

KNOWN = re.compile(r"[A-Za-z_][\w.]{0,200}")

FLAGS = ("-s", "-P", "-S", "-B")
"""Neither user packages, nor the current folder, nor .pth files, nor caches."""


class Child:
    """A forked process: `stdin` and `stdout` are the lab's ends (non-blocking), `errors` is a file of its stderr."""

    def __init__(self, server: _Server, spec: Mapping[str, Any], environment: Mapping[str, str]) -> None:
        self.errors: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `end`)
        self._told = b""
        theirs_in, self.stdin = os.pipe()
        self.stdout, theirs_out = os.pipe()
        self._status, theirs_status = os.pipe()
        handed = (theirs_in, theirs_out, self.errors.fileno(), theirs_status)
        try:
            server.order({"do": "fork", "spec": spec, "environment": environment}, handed)
        except BaseException:
            self._close()
            raise
        finally:
            for handle in (theirs_in, theirs_out, theirs_status):
                os.close(handle)
        self._server = server
        for handle in (self.stdin, self.stdout):
            os.set_blocking(handle, False)
        self.pid = self._number(0, STARTUP)
        if self.pid is None:
            self._close()
            raise HouseFault("the fork server of strict execution has died: see whether this machine is out of memory")

    def wait(self, seconds: float) -> int | None:
        """The exit status (negative: a signal's number), once it has ended; None if it has not within so long."""
        return self._number(1, seconds)

    def end(self) -> None:
        """Ends it and its process group."""
        if self.wait(0.0) is None and self.pid is not None:
            with suppress(OSError):
                self._server.order({"do": "end", "pid": self.pid})
            self.wait(10.0)
        self._close()

    def _number(self, line: int, seconds: float) -> int | None:
        while self._told.count(b"\n") <= line:
            if not select.select([self._status], [], [], seconds)[0]:
                return None
            part = os.read(self._status, 64)
            if not part:
                return None if line == 0 else -int(signal.SIGKILL)  # the server has died, and its children with it
            self._told += part
        return int(self._told.split(b"\n")[line])

    def _close(self) -> None:
        self.errors.close()
        for handle in (self.stdin, self.stdout, self._status):
            os.close(handle)


class _Server:
    """A fork server that runs, and the orders to it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.loaded: set[str] = set()
        self._orders, theirs = socket.socketpair()
        where = {
            "path": installed_path(),
            "roots": {"simlab": os.path.dirname(root_of("simlab")[1])},
            "socket": theirs.fileno(),
        }
        with tempfile.TemporaryFile() as complaints, theirs:
            self.process = subprocess.Popen(
                [sys.executable, *FLAGS, fork_server.__file__, json.dumps(where)],
                env={"PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONHASHSEED": "0"} | ONE_THREAD,
                pass_fds=[theirs.fileno()],
                cwd=os.sep,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=complaints,
                start_new_session=True,
            )
            theirs.close()
            self._orders.settimeout(STARTUP)
            if not self._started():
                self.process.kill()
                complaints.seek(0)
                said = complaints.read().decode(errors="replace").strip()[-500:]
                raise HouseFault(f"the fork server of strict execution did not start: {said or 'it said nothing'}")
        self._orders.settimeout(None)

    def _started(self) -> bool:
        try:
            return self._orders.recv(1) != b""
        except OSError:
            return False

    def order(self, order: Mapping[str, Any], handles: tuple[int, ...] = ()) -> None:
        """Sends an order and the file descriptors that go with it; raises OSError if the server has died."""
        body = json.dumps(order).encode()
        with self._lock:
            socket.send_fds(self._orders, [len(body).to_bytes(fork_server.HEADER, "little")], handles)
            self._orders.sendall(body)


_server: _Server | None = None
_owner = 0
_unsound: set[str] = set()
_starting = threading.Lock()


def fork(spec: Mapping[str, Any], environment: Mapping[str, str]) -> Child:
    """A jailed child of the warm parent; see `simlab.execution.strict.jail.lock` for the spec."""
    try:
        return Child(_running(), spec, environment)
    except (OSError, HouseFault):  # it was killed, or met a module that started a thread: once more, afresh
        forget_server()
        return Child(_running(), spec, environment)


def load(modules: Any) -> None:
    """Has the server load modules that a method says it has used, so that the next one finds them there."""
    server = _server
    named = [name for name in modules if isinstance(name, str)] if isinstance(modules, list) else []
    known = {name for name in named if name.partition(".")[0] in WARM and KNOWN.fullmatch(name)} - _unsound
    if server is None or _owner != os.getpid() or not known - server.loaded:
        return
    new = sorted(known - server.loaded)
    server.loaded |= known
    with suppress(OSError):
        server.order({"do": "load", "modules": new})


def forget_server() -> None:
    """Lets the server go (it ends when its socket closes): the next fork starts another."""
    global _server
    with _starting:
        if _server is not None and _owner == os.getpid():
            _unsound.update(_server.loaded if _server.process.poll() is not None else ())
            _server._orders.close()
            _server.process.kill()
            _server.process.wait()
        _server = None


def _running() -> _Server:
    global _server, _owner
    with _starting:
        if _server is None or _owner != os.getpid() or _server.process.poll() is not None:
            if _server is not None and _owner == os.getpid():
                _unsound.update(_server.loaded)
            _server, _owner = _Server(), os.getpid()
        return _server
