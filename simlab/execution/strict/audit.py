"""Where the kernel offers no Landlock: an audit hook that keeps Python code to its room. Curiosity, not malice.

It sees what Python's own functions do, and not what a library in C does by itself. Those of the standard library that
open files themselves (sqlite3, dbm) are refused altogether. The events: docs.python.org/3/library/audit_events.html.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Arguments = tuple[Any, ...]

WRITES: Mapping[str, tuple[tuple[int, int | None], ...]] = {
    "os.chflags": ((0, None),),
    "os.chmod": ((0, 2),),
    "os.chown": ((0, 3),),
    "os.link": ((0, 2), (1, 3)),
    "os.mkdir": ((0, 2),),
    "os.remove": ((0, 1),),  # and os.unlink
    "os.removexattr": ((0, None),),
    "os.rename": ((0, 2), (1, 3)),  # and os.replace
    "os.rmdir": ((0, 1),),
    "os.setxattr": ((0, None),),
    "os.symlink": ((0, None), (1, 2)),
    "os.truncate": ((0, None),),
    "os.utime": ((0, 3),),
}
"""Events that change a file: which of their arguments are paths, and which name the folder that a path starts from."""

READS = ("os.chdir", "os.getxattr", "os.listdir", "os.listxattr", "os.scandir")

REFUSED = (
    "subprocess.Popen", "os.exec", "os.posix_spawn", "os.spawn", "os.system", "os.forkpty", "pty.spawn",
    "sqlite3.connect", "syslog.openlog", "syslog.syslog", "socket.bind", "socket.connect", "socket.getaddrinfo",
    "socket.gethostbyaddr", "socket.gethostbyname", "socket.getnameinfo", "socket.sendto",
)  # fmt: skip
"""Events refused whatever they name: other programs, the network, and what opens files where no hook sees it."""

STRANGERS = ("os.kill", "os.killpg", "resource.prlimit")
"""Events whose first argument is a process: they are left for this one alone."""


def refuse_elsewhere(readable: Sequence[str], room: str) -> None:
    """From here on, this process opens, lists and changes files in its room only, and reads in `readable` too.

    It starts no program and reaches no other process. Raises PermissionError inside of whoever tries.
    """
    writable = tuple(os.path.realpath(path) for path in (room, "/dev/null"))
    places = (*writable, *(os.path.realpath(path) for path in readable))
    refuses = _rules(lambda path: _within(path, places), lambda path: _within(path, writable))

    def hook(event: str, arguments: Arguments) -> None:
        rule = refuses.get(event)
        if rule is not None and rule(arguments):
            raise PermissionError(f"strict execution refuses {event} {arguments[0] if arguments else ''!r}")

    sys.addaudithook(hook)


def _rules(may_read: Callable[[str], bool], may_write: Callable[[str], bool]) -> dict[str, Callable[[Arguments], bool]]:
    """Each event that is watched, and whether its arguments are to be refused."""

    def opens(arguments: Arguments) -> bool:
        path, _, flags = arguments
        if path is None or isinstance(path, int):  # a file that is open already
            return False
        writes = (flags or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        return not (may_write if writes else may_read)(_place(path))

    def reads(arguments: Arguments) -> bool:
        return not may_read(_place("." if arguments[0] is None else arguments[0]))

    def loads(arguments: Arguments) -> bool:
        library = arguments[0]  # without a slash: as the linker finds it, in the system's own folders
        return isinstance(library, str | bytes) and "/" in os.fsdecode(library) and not may_read(_place(library))

    def writes(places: tuple[tuple[int, int | None], ...]) -> Callable[[Arguments], bool]:
        return lambda arguments: any(
            not may_write(place)
            for path, folder in places
            for place in _both(arguments[path], -1 if folder is None else arguments[folder])
        )

    def strangers(arguments: Arguments) -> bool:
        return arguments[0] not in (0, os.getpid())

    return (
        {"open": opens, "ctypes.dlopen": loads, "import": lambda arguments: arguments[0] in ("_dbm", "_gdbm")}
        | dict.fromkeys(READS, reads)
        | {event: writes(places) for event, places in WRITES.items()}
        | dict.fromkeys(REFUSED, lambda arguments: True)
        | dict.fromkeys(STRANGERS, strangers)
    )


def _place(path: Any, folder: Any = -1) -> str:
    """The absolute path that a path or an open file stands for, links followed; "" where that cannot be told."""
    try:
        if isinstance(path, int):
            return os.readlink(f"/proc/self/fd/{path}")
        start = "." if folder is None or folder == -1 else os.readlink(f"/proc/self/fd/{folder}")
        return os.path.realpath(os.path.join(start, os.fsdecode(path)))
    except (OSError, TypeError, ValueError):
        return ""


def _both(path: Any, folder: Any) -> tuple[str, ...]:
    """Where a path leads, and where the name itself lies: a link may be in one place and point to another."""
    leads = _place(path, folder)
    if isinstance(path, int) or not leads:
        return (leads,)
    above, name = os.path.split(os.fsdecode(path).rstrip("/"))
    return leads, os.path.join(_place(above or ".", folder), name)


def _within(place: str, places: Sequence[str]) -> bool:
    return any(place == other or place.startswith(other.rstrip("/") + "/") for other in places)
