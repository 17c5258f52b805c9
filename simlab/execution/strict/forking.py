"""The lab's end of the fork server: one per process of the lab, started at first use."""

from __future__ import annotations

import json
import os
import re
import select
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
from simlab.execution.threads import SINGLE_THREADED

STARTUP = 120.0
"""Seconds that Python and its packages may take to load; they count against nobody."""

ONE_THREAD = {**SINGLE_THREADED, "NUMBA_NUM_THREADS": "1"}
"""A fork is sound in a process of one thread only, and sums must not depend on how many threads made them."""

WARM = (
    "scipy", "sklearn", "pandas", "statsmodels", "patsy", "numba", "llvmlite", "joblib", "threadpoolctl", "elephant",
    "neo", "quantities", "gudhi", "oasis", "xarray", "numpy", "cloudpickle", "packaging",
)  # fmt: skip
"""Packages that the server loads once a method has needed them: much used, installed with simlab, free of threads."""

KNOWN = re.compile(r"[A-Za-z_][\w.]{0,200}")

PROGRAMS = {"__main__", "conftest", "test", "tests"}
"""Modules of these names run or test something: no method needs them."""

MOST_LOADED = 5000
"""Modules that a server loads: a method can name all there are."""

FLAGS = ("-s", "-P", "-S", "-B")
"""Neither user packages, nor the current folder, nor .pth files, nor caches."""


class ServerDied(RuntimeError):
    """The fork server has ended, or was ended, and with it all that it had started: no method's doing."""

    def __init__(self) -> None:
        super().__init__("the fork server of strict execution has died: see whether this machine is out of memory")


class Child:
    """A forked process: `stdin` and `stdout` are the lab's ends (non-blocking), `errors` is a file of its stderr."""

    def __init__(self, server: _Server, spec: Mapping[str, Any], environment: Mapping[str, str]) -> None:
        self._server, self._told, self.pid = server, b"", 0
        try:
            self.errors: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `end`)
        except OSError as error:
            raise HouseFault(
                f"strict execution finds no place for a file ({error}): free some, or set TMPDIR"
            ) from error
        theirs_in, self.stdin = os.pipe()
        self.stdout, theirs_out = os.pipe()
        self._status, theirs_status = os.pipe()
        try:
            handed = (theirs_in, theirs_out, self.errors.fileno(), theirs_status)
            try:
                server.order({"do": "fork", "spec": spec, "environment": environment}, handed)
            finally:
                for handle in (theirs_in, theirs_out, theirs_status):
                    os.close(handle)
            for handle in (self.stdin, self.stdout):
                os.set_blocking(handle, False)
            self.pid = self._its_pid()
        except BaseException:
            self._close()
            raise

    def _its_pid(self) -> int:
        pid = self._number(0, STARTUP)
        if pid is None:
            raise ServerDied
        if pid == 0:
            raise HouseFault("strict execution can start no process more: see what fills this machine's process table")
        return pid

    def wait(self, seconds: float) -> int | None:
        """The exit status (negative: a signal's number), once it has ended; None if it has not within so long.

        Raises ServerDied where it has ended because the server has.
        """
        return self._number(1, seconds)

    def end(self) -> None:
        """Ends it and its process group."""
        with suppress(ServerDied):
            if self.wait(0.0) is None:
                self._server.order({"do": "end", "pid": self.pid})
                self.wait(10.0)
        self._close()

    def _number(self, line: int, seconds: float) -> int | None:
        while self._told.count(b"\n") <= line:
            poll = select.poll()  # `select` itself knows no handle above 1023
            poll.register(self._status, select.POLLIN)
            if not poll.poll(1000 * seconds):
                return None
            part = os.read(self._status, 64)
            if not part:
                raise ServerDied
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
        """Sends an order and the file descriptors that go with it; raises ServerDied if the server has died."""
        body = json.dumps(order).encode()
        with self._lock:
            try:
                socket.send_fds(self._orders, [len(body).to_bytes(fork_server.HEADER, "little")], handles)
                self._orders.sendall(body)
            except OSError:
                raise ServerDied from None
            except BaseException:  # interrupted within an order: the server would take the next for its rest
                self._orders.close()
                raise

    def end(self) -> None:
        """Lets it go: it ends, and what it has started with it, when its socket closes."""
        self._orders.close()
        self.process.kill()
        self.process.wait()


_server: _Server | None = None
_owner = 0
_starting = threading.Lock()


def fork(spec: Mapping[str, Any], environment: Mapping[str, str]) -> Child:
    """A jailed child of the warm parent; see `simlab.execution.strict.jail.lock` for the spec."""
    server = _running()
    try:
        return Child(server, spec, environment)
    except ServerDied:  # somebody has killed it: once more, afresh
        _forget(server)
        return Child(_running(), spec, environment)


def load(modules: Any) -> None:
    """Has the server load modules that a method says it has used, so that later ones find them there."""
    server = _server
    if server is None or _owner != os.getpid() or not isinstance(modules, list):
        return
    new = sorted({name for name in modules if _may_be_loaded(name)} - server.loaded)[: MOST_LOADED - len(server.loaded)]
    if new:
        server.loaded.update(new)
        with suppress(ServerDied):
            server.order({"do": "load", "modules": new})


def _may_be_loaded(name: Any) -> bool:
    if not isinstance(name, str) or not KNOWN.fullmatch(name):
        return False
    parts = name.split(".")
    return parts[0] in WARM and not PROGRAMS & set(parts)


def _forget(server: _Server) -> None:
    """Lets a server go that has died or does not answer, unless another thread has done so."""
    global _server
    with _starting:
        if _server is server:
            _server = None
            server.end()


def _running() -> _Server:
    global _server, _owner
    with _starting:
        if _server is None or _owner != os.getpid() or _server.process.poll() is not None:
            _server, _owner = _Server(), os.getpid()
        return _server
