"""Locks a process down, before it runs a method.

Everything is given up while the process has a single thread: network and the memory of other processes (seccomp), the
file system but for a few places (Landlock), capabilities (root), signals to strangers. Where the kernel offers no
Landlock, an audit hook refuses files in Python: curiosity, not malice.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import signal
import stat
import struct
import sys
from collections.abc import Mapping, Sequence
from typing import Any

LANDLOCK_CREATE, LANDLOCK_ADD, LANDLOCK_RESTRICT = 444, 445, 446  # the same numbers on every architecture
READ = 1 << 0 | 1 << 2 | 1 << 3  # execute, read file, read directory
WRITE_FILE, TRUNCATE, IOCTL = 1 << 1, 1 << 14, 1 << 15
ON_FILES = 1 << 0 | 1 << 2 | WRITE_FILE | TRUNCATE | IOCTL  # the rights that make sense for what is no directory
FS_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}  # Landlock ABI -> how many file-system rights it knows
NET_RIGHTS, SCOPES = 0b11, 0b11  # TCP bind and connect (ABI 4); abstract sockets and signals (ABI 6)

SYSTEM = (
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d",
    "/etc/alternatives", "/etc/localtime", "/etc/fonts", "/etc/perl", "/etc/R", "/etc/julia", "/etc/passwd",
    "/etc/nsswitch.conf", "/dev/zero", "/dev/random", "/dev/urandom", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat",
    "/proc/sys/vm/overcommit_memory", "/sys/devices/system/cpu",
)  # fmt: skip
"""What programs of any language read to start and to know their machine; nothing of the lab lies there."""

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
REFUSED = {
    "x86_64": {
        "ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311, "pidfd_getfd": 438, "io_uring_setup": 425,
        "perf_event_open": 298, "bpf": 321, "add_key": 248, "request_key": 249, "keyctl": 250, "shmget": 29,
        "shmat": 30, "msgget": 68, "mq_open": 240, "setsid": 112, "setpgid": 109,
    },
    "aarch64": {
        "ptrace": 117, "process_vm_readv": 270, "process_vm_writev": 271, "pidfd_getfd": 438, "io_uring_setup": 425,
        "perf_event_open": 241, "bpf": 280, "add_key": 217, "request_key": 218, "keyctl": 219, "shmget": 194,
        "shmat": 196, "msgget": 186, "mq_open": 180, "setsid": 157, "setpgid": 154,
    },
}  # fmt: skip
"""System calls refused: other processes' memory and messages, and leaving the process group that a limit kills."""
SOCKET = {"x86_64": 41, "aarch64": 198}

LINUX = sys.platform == "linux"
_libc = ctypes.CDLL(None, use_errno=True)
if LINUX:
    _libc.prctl.argtypes = [ctypes.c_int, *[ctypes.c_void_p] * 4]


def lock(spec: Mapping[str, Any]) -> list[str]:
    """Gives up everything but what `spec` grants; returns the names of the protections in force.

    spec: `room` (the only writable folder), `read` (paths), `network`, `memory` and `file_size` [bytes or None],
    `landlock` (False: as on a kernel without it).
    """
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for limit, value in ((resource.RLIMIT_DATA, spec["memory"]), (resource.RLIMIT_FSIZE, spec["file_size"])):
        if value is not None:
            resource.setrlimit(limit, (value, value))
    held = []
    if LINUX:
        _libc.prctl(1, int(signal.SIGKILL), 0, 0, 0)  # PR_SET_PDEATHSIG: a killed lab leaves no method running
    if LINUX and _libc.prctl(38, 1, 0, 0, 0) == 0:  # PR_SET_NO_NEW_PRIVS, which both filters need
        if spec["landlock"] and _landlock([*SYSTEM, *spec["read"]], [spec["room"]], spec["network"]):
            held.append("landlock")
        _drop_capabilities()
        if _seccomp(spec["network"]):
            held.append("seccomp")
    if "landlock" not in held and "python" in spec:
        _audit([*SYSTEM, *spec["read"]], spec["room"])
        held.append("audit")
    return held


def adopt_orphans() -> None:
    """Makes this process the parent of its children's orphans, so that it can bury them."""
    if LINUX:
        _libc.prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


def landlock_version() -> int:
    """The kernel's Landlock ABI; 0 where there is none."""
    return max(0, int(_libc.syscall(LANDLOCK_CREATE, None, ctypes.c_size_t(0), 1))) if LINUX else 0


def protections() -> dict[str, Any]:
    """What this machine's strict execution rests on; docs/protocol.md says what each guarantees."""
    return {
        "landlock": landlock_version(),
        "seccomp": LINUX and platform.machine() in ARCHITECTURES,
        "audit hook only": landlock_version() == 0,
    }


def _landlock(readable: Sequence[str], writable: Sequence[str], network: bool) -> bool:
    version = landlock_version()
    if version == 0:
        return False
    everything = (1 << FS_RIGHTS.get(version, 16)) - 1
    fields = [everything]
    if version >= 4:
        fields.append(0 if network else NET_RIGHTS)
    if version >= 6:
        fields.append(SCOPES)
    attributes = struct.pack(f"={len(fields)}Q", *fields)
    ruleset = _libc.syscall(LANDLOCK_CREATE, attributes, ctypes.c_size_t(len(attributes)), 0)
    if ruleset < 0:
        return False
    grants = dict.fromkeys(readable, READ) | dict.fromkeys(writable, everything)
    grants["/dev/null"] = READ | WRITE_FILE | TRUNCATE
    for path, rights in grants.items():
        _grant(ruleset, path, rights & everything)
    done = _libc.syscall(LANDLOCK_RESTRICT, ruleset, 0) == 0
    os.close(ruleset)
    return bool(done)


def _grant(ruleset: int, path: str, rights: int) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # this system has no such place
    try:
        if not stat.S_ISDIR(os.fstat(handle).st_mode):
            rights &= ON_FILES
        _libc.syscall(LANDLOCK_ADD, ruleset, 1, struct.pack("=Qi", rights, handle), 0)
    finally:
        os.close(handle)


def _drop_capabilities() -> None:
    """Root without its powers: it can read what it owns, not raise its limits."""
    header = struct.pack("=Ii", 0x20080522, 0)
    _libc.capset(header, struct.pack("=6I", *[0] * 6))


def _seccomp(network: bool) -> bool:
    machine = platform.machine()
    if machine not in ARCHITECTURES:
        return False
    refused = [*REFUSED[machine].values(), *([] if network else [SOCKET[machine]])]
    code = [(0x20, 0, 0, 4), (0x15, 1, 0, ARCHITECTURES[machine]), (0x06, 0, 0, 0x80000000), (0x20, 0, 0, 0)]
    code.append((0x35, len(refused) + 1, 0, 0x40000000))  # x86-64's x32 calls, a way around the numbers
    code += [(0x15, len(refused) - i, 0, number) for i, number in enumerate(refused)]
    code += [(0x06, 0, 0, 0x7FFF0000), (0x06, 0, 0, 0x00050001)]  # allow; refuse with EPERM
    program = b"".join(struct.pack("=HBBI", *step) for step in code)
    buffer = ctypes.create_string_buffer(program, len(program))
    description = struct.pack("@HP", len(code), ctypes.addressof(buffer))
    return bool(_libc.prctl(22, 2, description, 0, 0) == 0)  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER


def _audit(readable: Sequence[str], room: str) -> None:
    places = tuple(os.path.realpath(path) for path in [*readable, room, "/dev/null"])

    def allowed(path: Any, writes: bool) -> bool:
        if isinstance(path, int):
            return True
        real = os.path.realpath(os.fsdecode(path))
        inside = [place for place in places if real == place or real.startswith(place.rstrip("/") + "/")]
        return any(place in (places[-1], places[-2]) for place in inside) if writes else bool(inside)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and arguments[0] is not None:
            writes = bool((arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
            refuse = not allowed(arguments[0], writes)
        elif event in ("os.listdir", "os.scandir"):
            refuse = not allowed(arguments[0] if arguments[0] is not None else ".", False)
        else:
            refuse = event in ("subprocess.Popen", "os.exec", "os.posix_spawn", "os.system", "socket.connect")
        if refuse:
            raise PermissionError(f"strict execution refuses {event} {arguments[0]!r}")

    sys.addaudithook(hook)
