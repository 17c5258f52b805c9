"""Locks a process down, before it runs a method.

Everything is given up while the process has a single thread: network, other processes, and what changes files without
opening them (seccomp), the file system but for a few places (Landlock), capabilities (root). Where the kernel offers
no Landlock, an audit hook refuses files in Python: curiosity, not malice.
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
from typing import Any, NamedTuple

LANDLOCK_CREATE, LANDLOCK_ADD, LANDLOCK_RESTRICT = 444, 445, 446  # the same numbers on every architecture
READ = 1 << 0 | 1 << 2 | 1 << 3  # execute, read file, read directory
WRITE_FILE, TRUNCATE, IOCTL = 1 << 1, 1 << 14, 1 << 15
ON_FILES = 1 << 0 | 1 << 2 | WRITE_FILE | TRUNCATE | IOCTL  # the rights that make sense for what is no directory
FS_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}  # Landlock ABI -> how many file-system rights it knows
NET_RIGHTS, SCOPES = 0b11, 0b11  # TCP bind and connect (ABI 4); abstract sockets and signals (ABI 6)

SYSTEM = (
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d",
    "/etc/alternatives", "/etc/localtime", "/etc/fonts", "/etc/perl", "/etc/R", "/etc/julia", "/etc/passwd",
    "/etc/nsswitch.conf", "/dev/random", "/dev/urandom", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat",
    "/proc/sys/vm/overcommit_memory", "/sys/devices/system/cpu",
)  # fmt: skip
"""What programs of any language read to start and to know their machine; nothing of the lab lies there."""

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

Numbers = tuple[int, int | None]

REFUSED: dict[str, dict[str, Numbers]] = {
    "other processes": {
        "kcmp": (312, 272), "migrate_pages": (256, 238), "move_pages": (279, 239), "perf_event_open": (298, 241),
        "pidfd_getfd": (438, 438), "pidfd_open": (434, 434), "pidfd_send_signal": (424, 424),
        "process_madvise": (440, 440), "process_mrelease": (448, 448), "process_vm_readv": (310, 270),
        "process_vm_writev": (311, 271), "ptrace": (101, 117), "userfaultfd": (323, 282),
    },
    "leaving the process group that a limit kills, or the world that the others live in": {
        "setns": (308, 268), "setpgid": (109, 154), "setsid": (112, 157), "unshare": (272, 97),
    },
    "memory that no limit counts, messages that outlive the process, rings that go around this filter": {
        "add_key": (248, 217), "bpf": (321, 280), "io_uring_setup": (425, 425), "keyctl": (250, 219),
        "memfd_create": (319, 279), "memfd_secret": (447, 447), "mq_open": (240, 180), "msgget": (68, 186),
        "request_key": (249, 218), "semget": (64, 190), "shmat": (30, 196), "shmget": (29, 194),
    },
    "files changed by whoever owns them, without opening them: Landlock does not see it": {
        "chmod": (90, None), "chown": (92, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452),
        "fchown": (93, 55), "fchownat": (260, 54), "file_setattr": (469, 469), "fremovexattr": (199, 16),
        "fsetxattr": (190, 7), "futimesat": (261, None), "lchown": (94, None), "lremovexattr": (198, 15),
        "lsetxattr": (189, 6), "removexattr": (197, 14), "removexattrat": (466, 466), "setxattr": (188, 5),
        "setxattrat": (463, 463), "truncate": (76, 45), "utime": (132, None), "utimensat": (280, 88),
        "utimes": (235, None),
    },
    "files watched, or opened by another name than their path": {
        "fanotify_init": (300, 262), "inotify_init": (253, None), "inotify_init1": (294, 26),
        "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265),
    },
    "mounts": {
        "chroot": (161, 51), "fsconfig": (431, 431), "fsmount": (432, 432), "fsopen": (430, 430),
        "fspick": (433, 433), "mount": (165, 40), "mount_setattr": (442, 442), "move_mount": (429, 429),
        "open_tree": (428, 428), "open_tree_attr": (467, 467), "pivot_root": (155, 41), "quotactl": (179, 60),
        "quotactl_fd": (443, 443), "swapoff": (168, 225), "swapon": (167, 224), "umount2": (166, 39),
    },
    "the machine": {
        "acct": (163, 89), "adjtimex": (159, 171), "clock_adjtime": (305, 266), "clock_settime": (227, 112),
        "delete_module": (176, 106), "finit_module": (313, 273), "init_module": (175, 105), "ioperm": (173, None),
        "iopl": (172, None), "kexec_file_load": (320, 294), "kexec_load": (246, 104), "lookup_dcookie": (212, 18),
        "modify_ldt": (154, None), "personality": (135, 92), "reboot": (169, 142), "setdomainname": (171, 162),
        "sethostname": (170, 161), "settimeofday": (164, 170), "syslog": (103, 116), "vhangup": (153, 58),
    },
}  # fmt: skip
"""System calls refused, by what they would reach; their numbers on x86-64 and on ARM64 (None: it has no such call)."""

NETWORK: dict[str, Numbers] = {"socket": (41, 198)}
"""Refused unless the network is granted."""

UNKNOWN: dict[str, tuple[int, int]] = {"clone3": (435, 435)}
"""Its flags lie where a filter cannot look: it is said not to exist, and libraries fall back to clone."""

ALL = 0xFFFFFFFF
NAMESPACES = 0x7E020000  # the flags of clone that make new ones


class Check(NamedTuple):
    """What one argument of a call must be, or must not be: its low 32 bits, of which `mask` are looked at."""

    argument: int
    values: tuple[int, ...]
    mask: int = ALL
    allowed: bool = True  # only these values; False: all but these


def checked_calls(own: int, scoped: bool) -> dict[tuple[int, int], tuple[Check, ...]]:
    """Calls allowed where all their checks hold, by their numbers on x86-64 and ARM64.

    own: the process's number. scoped: Landlock keeps signals from strangers, so that they need no check.
    """
    me = (0, own)
    calls: dict[tuple[int, int], tuple[Check, ...]] = {
        (302, 261): (Check(0, me),),  # prlimit64: C libraries set a process's own limits by it
        (141, 140): (Check(0, (0,)), Check(1, me)),  # setpriority: of one process, not of a group or user
        (251, 30): (Check(0, (1,)), Check(1, me)),  # ioprio_set: likewise
        (203, 122): (Check(0, me),),  # sched_setaffinity
        (144, 119): (Check(0, me),),  # sched_setscheduler
        (142, 118): (Check(0, me),),  # sched_setparam
        (314, 274): (Check(0, me),),  # sched_setattr
        (56, 220): (Check(0, (0,), NAMESPACES),),  # clone
        (53, 199): (Check(1, (1, 5), 0xF),),  # socketpair: a datagram socket could turn to somebody else's address
        (157, 167): (Check(0, (1,), allowed=False),),  # prctl: PR_SET_PDEATHSIG, by which a killed lab ends its method
        (72, 25): (Check(1, FCNTLS, allowed=False),),  # fcntl
        (9, 222): (Check(3, (0x21,), 0x23, allowed=False),),  # mmap: shared and of no file, which no watch can see
        (16, 29): (Check(1, IOCTLS, allowed=False),),  # ioctl
        (62, 129): (Check(0, (-1 & ALL,), allowed=False),),  # kill: all at once
    }
    if not scoped:
        calls |= {
            (62, 129): (Check(0, (*me, -own & ALL)),),  # kill: itself, and its own group, of which it is the leader
            (200, 130): (Check(0, (own,)),),  # tkill
            (234, 131): (Check(0, (own,)),),  # tgkill
            (129, 138): (Check(0, (own,)),),  # rt_sigqueueinfo
            (297, 240): (Check(0, (own,)),),  # rt_tgsigqueueinfo
        }
    return calls


FCNTLS = (8, 10, 15, 1024, 1026)
"""Refused: F_SETOWN, F_SETSIG and F_SETOWN_EX, which signal others; F_SETLEASE, which makes others wait that write a
file; F_NOTIFY, which watches a folder."""

IOCTLS = (0x5412, 0x8901, 0x8902, 0x40086602, 0x40046602, 0x401C5820)
"""Refused: TIOCSTI; FIOSETOWN and SIOCSPGRP, which signal others; attributes of files that are open for reading."""

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
        if _seccomp(spec["network"], scoped="landlock" in held and landlock_version() >= 6):
            held.append("seccomp")
    if "landlock" not in held and "python" in spec:
        from simlab.execution.strict.audit import refuse_elsewhere

        refuse_elsewhere([*SYSTEM, *spec["read"]], spec["room"])
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


def _seccomp(network: bool, scoped: bool) -> bool:
    machine = platform.machine()
    if machine not in ARCHITECTURES:
        return False
    code = filter_program(machine, network, scoped, os.getpid())
    program = b"".join(struct.pack("=HBBI", *step) for step in code)
    buffer = ctypes.create_string_buffer(program, len(program))
    description = struct.pack("@HP", len(code), ctypes.addressof(buffer))
    return bool(_libc.prctl(22, 2, description, 0, 0) == 0)  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER


Step = tuple[int, int, int, int]
LOAD, AND, EQUAL, AT_LEAST, RETURN = 0x20, 0x54, 0x15, 0x35, 0x06
ALLOW, REFUSE, NO_SUCH_CALL, KILL = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000  # EPERM, ENOSYS


def filter_program(machine: str, network: bool, scoped: bool, own: int) -> list[Step]:
    """The filter as the kernel's BPF: each step (code, jump if true, jump if not, value). It returns a verdict."""
    column = list(ARCHITECTURES).index(machine)
    code: list[Step] = [(LOAD, 0, 0, 4), (EQUAL, 1, 0, ARCHITECTURES[machine]), (RETURN, 0, 0, KILL), (LOAD, 0, 0, 0)]
    code += [(AT_LEAST, 0, 1, 0x40000000), (RETURN, 0, 0, REFUSE)]  # x86-64's x32 calls, a way around the numbers
    refused = [numbers[column] for group in REFUSED.values() for numbers in group.values()]
    refused += [] if network else [numbers[column] for numbers in NETWORK.values()]
    for number in refused:
        code += [] if number is None else [(EQUAL, 0, 1, number), (RETURN, 0, 0, REFUSE)]
    for numbers in UNKNOWN.values():
        code += [(EQUAL, 0, 1, numbers[column]), (RETURN, 0, 0, NO_SUCH_CALL)]
    for numbers, checks in checked_calls(own, scoped).items():
        steps = [step for check in checks for step in _steps(check)]
        code += [(EQUAL, 0, len(steps) + 1, numbers[column]), *steps, (RETURN, 0, 0, ALLOW)]
    return [*code, (RETURN, 0, 0, ALLOW)]


def _steps(check: Check) -> list[Step]:
    """Returns REFUSE where the check fails, and falls through where it holds."""
    steps: list[Step] = [(LOAD, 0, 0, 16 + 8 * check.argument), (AND, 0, 0, check.mask)]
    if check.allowed:
        for i, value in enumerate(check.values):
            steps.append((EQUAL, len(check.values) - i, 0, value))
        return [*steps, (RETURN, 0, 0, REFUSE)]
    for value in check.values:
        steps += [(EQUAL, 0, 1, value), (RETURN, 0, 0, REFUSE)]
    return steps
