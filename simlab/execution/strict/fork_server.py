"""The warm parent of jailed processes: it has loaded numpy and xarray once, and forks a child for each method.

Run as a script in a process that holds nothing of the lab: a clean environment, no open file but its end of a socket.
It has a single thread, so that a fork is sound, and jails each child before the child loads anything more. Orders
come over the socket; when the other end closes, because the lab ended or was killed, everything here ends with it.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import json
import os
import resource
import selectors
import signal
import socket
import sys
import traceback
from collections.abc import Mapping
from contextlib import suppress
from importlib.machinery import ModuleSpec
from typing import Any, NoReturn

HEADER = 8
"""Bytes of an order's length, little-endian, which go before it together with its file descriptors."""

TRIAL = 20
"""Seconds of processor time that modules may take to load."""

AT_ONCE = 256
"""Ended children that are buried before the next look at the orders."""

LOOK = 1.0
"""Seconds between looks at whether the lab is still there."""


class Roots:
    """Finds the packages and modules of `places` (module -> folder or file) without listing the folders they lie in."""

    def __init__(self, places: Mapping[str, str]) -> None:
        self.places = dict(places)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """As an import hook is asked: where a module of the granted places lies; None for any other."""
        place = self.places.get(name)
        if place is None:
            above = any(other.startswith(name + ".") for other in self.places)
            return ModuleSpec(name, None, is_package=True) if above else None  # a namespace, of what is granted in it
        if not os.path.isdir(place):
            return importlib.util.spec_from_file_location(name, place)
        init = os.path.join(place, "__init__.py")
        return importlib.util.spec_from_file_location(name, init, submodule_search_locations=[place])


class Server:
    """Forks, ends and buries children; each child's pid and exit status go to a pipe that came with the order."""

    def __init__(self, orders: socket.socket, finder: Roots) -> None:
        self.orders, self.finder = orders, finder
        self.children: dict[int, int] = {}  # pid -> where its status is written
        self.trials: dict[int, list[str]] = {}  # pid -> the modules that it tries to load
        self._parent = os.getppid()
        self._woken, self._wake = os.pipe()
        for end in (self._woken, self._wake):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(self._wake)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def serve(self) -> None:
        """Obeys until the lab is gone, and then ends what is left."""
        self.orders.sendall(b"\n")
        with selectors.DefaultSelector() as selector:
            selector.register(self.orders, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while os.getppid() == self._parent:
                ready = {key.fileobj for key, _ in selector.select(LOOK)}
                if self._woken in ready:
                    os.read(self._woken, 1 << 12)
                    self._bury()
                if self.orders in ready and not self._obey():
                    break
        for pid in (*self.children, *self.trials):
            _end(pid)

    def _obey(self) -> bool:
        """Carries out one order; False if there will be no more."""
        try:
            header, handles, *_ = socket.recv_fds(self.orders, HEADER, 4)
            if not header:
                return False
            order = json.loads(_exactly(self.orders, int.from_bytes(header, "little")))
        except (OSError, EOFError, ValueError):  # the lab is gone, or was interrupted in the middle of an order
            return False
        if order["do"] == "fork":
            self._fork(order, handles)
        elif order["do"] == "end" and order["pid"] in self.children:
            _end(order["pid"])
        elif order["do"] == "load":
            self._try(order["modules"])
        return True

    def _fork(self, order: Mapping[str, Any], handles: list[int]) -> None:
        """Makes a child and tells its pid; 0 where there is room for no process more."""
        pid = _forked()
        if pid == 0:
            _become(order, handles, self.finder)
        for handle in handles[:3]:
            os.close(handle)
        _write(handles[3], pid or 0)
        if pid is None:
            os.close(handles[3])
        else:
            self.children[pid] = handles[3]

    def _try(self, modules: list[str]) -> None:
        """Has a child load modules first: this process follows, when that has come to a good end (see `_bury`)."""
        pid = _forked()
        if pid == 0:
            _attempt(modules)
        if pid is not None:
            self.trials[pid] = modules

    def _bury(self) -> None:
        """Takes the ended; whatever a child has left behind in its process group ends before its status is told."""
        for _ in range(AT_ONCE):
            try:
                ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if ended is None:
                return
            if ended.si_pid in self.children or ended.si_pid in self.trials:
                _end(ended.si_pid)
            _, status = os.waitpid(ended.si_pid, 0)
            told, tried = self.children.pop(ended.si_pid, None), self.trials.pop(ended.si_pid, [])
            if told is not None:
                _write(told, os.waitstatus_to_exitcode(status))
                os.close(told)
            if tried and status == 0:
                _load(tried)
                _settle()
        with suppress(BlockingIOError):  # more may have ended
            os.write(self._wake, b".")


def _become(order: Mapping[str, Any], handles: list[int], finder: Roots) -> NoReturn:
    """The life of a child: a session of its own, three pipes, the jail, and then its program or Python method."""
    status = 1
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        for name in (signal.SIGCHLD, signal.SIGINT):
            signal.signal(name, signal.SIG_DFL)
        for number, handle in enumerate(handles[:3]):
            os.dup2(handle, number)
        os.closerange(3, 1 << 20)
        os.environ.clear()
        os.environ.update(order["environment"])
        spec = order["spec"]
        os.chdir(spec["room"])
        from simlab.execution.strict import child, jail

        if "command" in spec:
            jail.lock({**spec, "memory": None})
            if spec["memory"] is not None:
                resource.setrlimit(resource.RLIMIT_DATA, (spec["memory"], spec["memory"]))
            os.execvp(spec["command"][0], spec["command"])
        _find(spec["python"]["roots"], finder)
        jail.lock(spec)
        child.run()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def _find(roots: Mapping[str, str], finder: Roots) -> None:
    """Makes a method's own modules findable; one of the same name that was loaded from elsewhere gives way."""
    finder.places.update(roots)
    for root, place in roots.items():
        file = getattr(sys.modules.get(root), "__file__", None)
        if file is not None and file != place and not file.startswith(place + os.sep):
            for name in [name for name in sys.modules if name == root or name.startswith(root + ".")]:
                del sys.modules[name]


def _attempt(modules: list[str]) -> NoReturn:
    """The life of a child that loads modules: its status is 0 if a process that has loaded them is as good as before.

    They must not take for ever, end the process, start a thread (after which no fork is sound), or change its settings.
    """
    status = 1
    try:
        os.setsid()
        os.closerange(3, 1 << 20)
        signal.set_wakeup_fd(-1)
        resource.setrlimit(resource.RLIMIT_CPU, (TRIAL, TRIAL))
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(10 * TRIAL)
        before = _condition()
        _load(modules)
        status = 0 if _condition() == before else 1
    finally:
        os._exit(status)


def _load(modules: list[str]) -> None:
    for module in modules:
        with suppress(Exception):
            importlib.import_module(module)


def _condition() -> list[Any]:
    """What loading a module must leave alone (children have an environment of their own)."""
    import numpy as np

    tasks = "/proc/self/task"
    threads = len(os.listdir(tasks)) if os.path.isdir(tasks) else 1
    return [threads, np.geterr(), os.getcwd(), list(sys.path)]


def _forked() -> int | None:
    """As `os.fork`; None where the system has no process to give."""
    try:
        return os.fork()
    except OSError:
        return None


def _end(leader: int) -> None:
    """Kills a child and all of its process group (which it may not have made yet)."""
    for kill in (os.killpg, os.kill):
        with suppress(ProcessLookupError, PermissionError):
            kill(leader, signal.SIGKILL)


def _exactly(source: socket.socket, length: int) -> bytes:
    found = bytearray()
    while len(found) < length:
        part = source.recv(length - len(found))
        if not part:
            raise EOFError
        found += part
    return bytes(found)


def _write(handle: int, number: int) -> None:
    with suppress(OSError):  # the lab no longer listens
        os.write(handle, f"{number}\n".encode())


def _settle() -> None:
    """What is held now is shared with all children, so the collector need not look at it (nor copy its pages)."""
    gc.collect()
    gc.freeze()


def main() -> None:
    """Loads what every method needs, and serves; argv[1], a JSON object, tells where Python and simlab lie."""
    where = json.loads(sys.argv[1])
    sys.path[:] = where["path"]
    finder = Roots(where["roots"])
    sys.meta_path.insert(0, finder)  # type: ignore[arg-type]
    sys.argv = sys.argv[:1]
    from simlab.execution.room import with_room
    from simlab.execution.strict import child, jail

    jail.adopt_orphans()
    child.warm_up()
    _settle()
    with_room(Server(socket.socket(fileno=where["socket"]), finder).serve)  # and what it forks


if __name__ == "__main__":
    main()
