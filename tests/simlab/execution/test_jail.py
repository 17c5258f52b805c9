"""The jail's filter, run as the kernel would run it, on both architectures; its numbers against the C headers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from simlab.execution.strict import jail

OWN, STRANGER = 4321, 77
ALLOW, REFUSE, NO_SUCH_CALL, KILL = jail.ALLOW, jail.REFUSE, jail.NO_SUCH_CALL, jail.KILL
HEADERS = {
    "x86_64": (Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"), Path("/usr/include/asm/unistd_64.h")),
    "aarch64": (Path("/usr/include/asm-generic/unistd.h"),),
}
CHECKED = {
    "prlimit64": (302, 261), "setpriority": (141, 140), "ioprio_set": (251, 30), "sched_setaffinity": (203, 122),
    "sched_setscheduler": (144, 119), "sched_setparam": (142, 118), "sched_setattr": (314, 274), "clone": (56, 220),
    "socketpair": (53, 199), "prctl": (157, 167), "fcntl": (72, 25), "ioctl": (16, 29), "kill": (62, 129),
    "mmap": (9, 222), "tkill": (200, 130), "tgkill": (234, 131), "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
}  # fmt: skip
PLAIN = {"read": (0, 63), "openat": (257, 56), "munmap": (11, 215), "futex": (202, 98), "execve": (59, 221)}


def verdict(machine: str, number: int, *arguments: int, network=False, scoped=False, architecture=None) -> int:
    """What a BPF machine returns for a call: struct seccomp_data is number, architecture, pointer, six arguments."""
    data = {0: number, 4: jail.ARCHITECTURES[machine] if architecture is None else architecture}
    for i, argument in enumerate((*arguments, 0, 0, 0, 0, 0, 0)[:6]):
        data |= {16 + 8 * i: argument & jail.ALL, 20 + 8 * i: argument >> 32 & jail.ALL}
    accumulator, at, code = 0, 0, jail.filter_program(machine, network, scoped, OWN)
    assert len(code) < 4096  # the kernel's limit
    while True:
        kind, yes, no, value = code[at]
        assert 0 <= yes < 256
        assert 0 <= no < 256
        if kind == jail.RETURN:
            return value
        if kind == jail.LOAD:
            accumulator, step = data[value], 0
        elif kind == jail.AND:
            accumulator, step = accumulator & value, 0
        else:
            step = yes if (accumulator == value if kind == jail.EQUAL else accumulator >= value) else no
        at += 1 + step


def named() -> dict[str, tuple[int | None, int | None]]:
    groups = {name: numbers for group in jail.REFUSED.values() for name, numbers in group.items()}
    return groups | jail.NETWORK | jail.UNKNOWN


@pytest.mark.parametrize("machine", jail.ARCHITECTURES)
def test_every_refused_call_is_refused_and_the_rest_goes_on(machine):
    column = list(jail.ARCHITECTURES).index(machine)
    for name, numbers in named().items():
        if numbers[column] is not None:
            expected = NO_SUCH_CALL if name in jail.UNKNOWN else REFUSE
            assert verdict(machine, numbers[column]) == expected, name
    for name, numbers in PLAIN.items():
        assert verdict(machine, numbers[column]) == ALLOW, name
    assert verdict(machine, jail.NETWORK["socket"][column], network=True) == ALLOW
    assert verdict(machine, 0, architecture=0x40000003) == KILL  # 32-bit calls have other numbers
    assert verdict(machine, 0x40000000 | 101) == REFUSE  # and so have x32 ones


@pytest.mark.parametrize("machine", jail.ARCHITECTURES)
@pytest.mark.parametrize(
    ("name", "arguments", "scoped", "expected"),
    [
        ("prlimit64", (0,), True, ALLOW),
        ("prlimit64", (OWN,), True, ALLOW),
        ("prlimit64", (STRANGER,), True, REFUSE),
        ("prlimit64", (1 << 32 | STRANGER,), True, REFUSE),
        ("setpriority", (0, 0, 5), True, ALLOW),
        ("setpriority", (0, STRANGER, 5), True, REFUSE),
        ("setpriority", (2, 0, 5), True, REFUSE),
        ("ioprio_set", (1, 0), True, ALLOW),
        ("ioprio_set", (3, 0), True, REFUSE),
        ("sched_setaffinity", (0,), True, ALLOW),
        ("sched_setaffinity", (STRANGER,), True, REFUSE),
        ("sched_setscheduler", (STRANGER,), True, REFUSE),
        ("sched_setparam", (STRANGER,), True, REFUSE),
        ("sched_setattr", (STRANGER,), True, REFUSE),
        ("clone", (0x3D0F00,), True, ALLOW),  # a thread
        ("clone", (17,), True, ALLOW),  # a child
        ("clone", (0x10000000 | 17,), True, REFUSE),
        ("socketpair", (1, 1 | 0o2000000), True, ALLOW),
        ("socketpair", (1, 2 | 0o2000000), True, REFUSE),
        ("prctl", (15,), True, ALLOW),
        ("prctl", (1, 0), True, REFUSE),
        ("fcntl", (3, 2), True, ALLOW),
        ("fcntl", (3, 8), True, REFUSE),
        ("fcntl", (3, 1024), True, REFUSE),  # a lease: who writes the file then waits for it
        ("fcntl", (3, 1026), True, REFUSE),
        ("mmap", (0, 4096, 3, 0x22), True, ALLOW),  # private memory
        ("mmap", (0, 4096, 3, 0x01), True, ALLOW),  # a file's
        ("mmap", (0, 4096, 3, 0x21), True, REFUSE),
        ("mmap", (0, 4096, 3, 0x4021), True, REFUSE),
        ("ioctl", (1, 0x5401), True, ALLOW),
        ("ioctl", (1, 0x5412), True, REFUSE),
        ("ioctl", (1, 0x40086602), True, REFUSE),
        ("kill", (STRANGER, 9), True, ALLOW),  # Landlock sees to it
        ("kill", (-1, 9), True, REFUSE),
        ("kill", (STRANGER, 9), False, REFUSE),
        ("kill", (-1, 9), False, REFUSE),
        ("kill", (-STRANGER, 9), False, REFUSE),
        ("kill", (OWN, 9), False, ALLOW),
        ("kill", (-OWN, 9), False, ALLOW),
        ("kill", (0, 9), False, ALLOW),
        ("tgkill", (STRANGER, STRANGER, 9), False, REFUSE),
        ("tgkill", (OWN, OWN, 6), False, ALLOW),
        ("tkill", (STRANGER, 9), False, REFUSE),
        ("rt_sigqueueinfo", (STRANGER, 9), False, REFUSE),
        ("rt_tgsigqueueinfo", (STRANGER, STRANGER, 9), False, REFUSE),
    ],
)
def test_a_call_is_judged_by_its_arguments(machine, name, arguments, scoped, expected):
    number = CHECKED[name][list(jail.ARCHITECTURES).index(machine)]
    assert verdict(machine, number, *arguments, scoped=scoped) == expected


def test_each_checked_call_was_judged():
    assert set(jail.checked_calls(OWN, scoped=False)) == set(CHECKED.values())
    assert not set(CHECKED.values()) & set(named().values())


@pytest.mark.parametrize("machine", jail.ARCHITECTURES)
def test_numbers_are_those_of_the_c_headers(machine):
    header = next((path for path in HEADERS[machine] if path.exists()), None)
    if header is None:
        pytest.skip(f"no C headers for {machine} here: install linux-libc-dev")
    text = header.read_text()
    told = {name: int(number) for name, number in re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", text)}
    column = list(jail.ARCHITECTURES).index(machine)
    known = {name: numbers[column] for name, numbers in (named() | CHECKED).items() if name in told}
    assert len(known) > 80
    assert known == {name: told[name] for name in known}
