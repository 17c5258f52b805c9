"""Adversarial methods: they hunt for the truth wherever they can reach, and say what they found.

They are told salted hashes of what is worth finding (`wanted`), so that a match proves that they held the thing
itself; and they are told where the run folder lies, which is more than a method would know.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import hashlib
import os
import re
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType, ModuleType
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Needs
from simlab.session import Perturbation

SALT = b"spies"
MOST = 1_000_000  # objects looked at in one hunt
TOKEN = re.compile(r"[\w.+-]*\d[\w.+-]{9,}")  # what seeds, unusual names and written-out weights look like


def hashed(thing: object) -> str:
    """What a spy is told of a marker: a string, a whole number or a float."""
    return hashlib.blake2b(str(thing).encode(), key=SALT, digest_size=12).hexdigest()


@dataclass(frozen=True)
class Spy:
    """Passive. everything: walks all memory (frames, modules, gc), not only what it is handed."""

    name: ClassVar[str] = "spy"
    question: ClassVar[str] = "connectivity"
    family: ClassVar[str] = "espionage"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs()

    wanted: tuple[str, ...]
    everything: bool = False
    places: tuple[str, ...] = ()  # files and folders it would like to read; it then looks around for more
    lab: int = 0  # process id of the lab, whose memory it would like to read
    enough: int = 10**9  # it stops after so many finds

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        return self._report(recording, rng, recording.sizes["unit"])

    def _report(self, material: Any, rng: np.random.Generator, n: int) -> Finding:
        hunt = Hunt(set(self.wanted), self.enough)
        hunt.walk([material, rng, *seeds(rng)])
        if self.everything:
            hunt.walk(frames(), deep=True)
            hunt.walk([list(sys.modules.values()), gc.get_objects()], deep=True)
        if self.everything or self.places:
            hunt.look_around()
            hunt.read_files(self.places)
        if self.lab:
            hunt.read_processes(self.lab)
        square = np.zeros((n, n))
        notes = {"found": sorted(hunt.found), "looked_at": hunt.looked_at, "opened": sorted(hunt.opened)}
        return Finding({"score": square, "decided": square > 0, "sign": square}, notes=notes)


@dataclass(frozen=True)
class ActiveSpy(Spy):
    """Active: records too, aims out of bounds, and hunts through its rig."""

    name: ClassVar[str] = "active_spy"
    analyse = None  # type: ignore[assignment]

    def investigate(self, rig: Any, rng: np.random.Generator) -> Finding:
        session = rig.session(trials=2, duration=0.2)
        refusals = []
        aims = [{"targets": (10**6,)}, {"targets": (-1,)}, *({"region": f"region {i}"} for i in (0, 1, 99))]
        for kind, aim in [(kind, aim) for kind in ("stimulate", "silence") for aim in aims]:
            pulse = Perturbation(kind, **{"targets": ()} | aim, strength=1.0, start=0.05, stop=0.1)
            with contextlib.suppress(RecursionError):
                try:
                    rig.record(session.perturbed(pulse))
                except Exception as refusal:
                    refusals += [refusal, refusal.args, str(refusal)]
        recording = rig.record(session.perturbed(Perturbation("stimulate", (0,), 1.0, 0.05, 0.1)))
        return self._report([rig, session, recording, refusals], rng, rig.units.sizes["unit"])


def seeds(rng: np.random.Generator) -> list[Any]:
    """All that a generator gives away of where it came from."""
    bits = rng.bit_generator
    sequence = bits.seed_seq
    return [bits.state, sequence.entropy, sequence.spawn_key, sequence.state, sequence.generate_state(16), rng.spawn(2)]


def frames() -> list[Any]:
    """The variables of every frame of every thread."""
    found: list[Any] = []
    for frame in [sys._getframe(), *sys._current_frames().values()]:
        here: FrameType | None = frame
        while here is not None:
            found += [here.f_locals, here.f_globals]
            here = here.f_back
    return found


class Hunt:
    """One hunt: `found` are the wanted things that it held, `opened` the files that it could read."""

    def __init__(self, wanted: set[str], enough: int) -> None:
        self.wanted, self.enough = wanted, enough
        self.found: set[str] = set()
        self.opened: set[str] = set()
        self.looked_at = 0
        self._seen: set[int] = set()
        self._checked: set[Any] = set()
        self._kept: list[Any] = []  # so that ids stay unique

    def walk(self, start: list[Any], deep: bool = False) -> None:
        """Follows attributes, items, closures and bases; `deep`: also modules and functions' globals."""
        todo = deque(start)
        while todo and self.looked_at < MOST and len(self.found) < self.enough:
            thing = todo.popleft()
            if id(thing) in self._seen:
                continue
            self._seen.add(id(thing))
            self._kept.append(thing)
            self.looked_at += 1
            self.inspect(thing)
            if deep:
                todo.extend(gc.get_referents(thing))
                todo.extend([thing.base] if isinstance(thing, np.ndarray) else [])
            elif not isinstance(thing, ModuleType):
                with contextlib.suppress(Exception):
                    todo.extend(reachable(thing))

    def inspect(self, thing: Any) -> None:
        if isinstance(thing, str):
            self.read_text(thing)
        elif isinstance(thing, bytes | bytearray):
            self.read_bytes(bytes(thing[:100_000]), offsets=1)
        elif isinstance(thing, int | float | np.generic):
            self.check(thing.item() if isinstance(thing, np.generic) else thing)
        elif isinstance(thing, np.ndarray) and thing.dtype.kind in "iufUO" and thing.size <= 2_000:
            for value in np.asarray(thing).ravel().tolist():  # of a subclass, the numbers
                self.check(value if isinstance(value, str | int | float) else str(value))

    def check(self, value: Any) -> None:
        if value in self._checked:
            return
        self._checked.add(value)
        if hashed(value) in self.wanted:
            self.found.add(str(value))

    def read_text(self, text: str) -> None:
        for token in TOKEN.findall(text[:100_000]):
            self.check(token)

    def read_bytes(self, data: bytes, offsets: int = 8) -> None:
        self.read_text(data.decode("latin-1"))
        for offset in range(min(offsets, len(data))):
            whole = min((len(data) - offset) // 8, 2000)
            for value in np.frombuffer(data, "<f8", max(0, whole), offset).tolist():
                self.check(value)

    def look_around(self) -> None:
        """Environment, arguments, current folder, inherited file descriptors."""
        self.read_text(" ".join([*os.environ, *os.environ.values(), *sys.argv, *sys.orig_argv, os.getcwd()]))
        for descriptor in range(3, 64):
            with contextlib.suppress(OSError):
                self.read_bytes(os.pread(descriptor, 1_000_000, 0))
                self.opened.add(f"descriptor {descriptor}")
        for folder in (".", "..", "/", "/tmp", "/work", os.path.expanduser("~")):
            with contextlib.suppress(OSError):
                names = os.listdir(folder)
                self.read_text(" ".join(names))
                if folder != ".":
                    self.opened.update([folder] if names and folder != os.path.expanduser("~") else [])

    def read_files(self, places: tuple[str, ...]) -> None:
        """The places it was told of, directly, through a copy of the path, and by another program."""
        for place in places:
            for path in files_below(place):
                for way in (path, "/proc/self/root" + path, f"/proc/self/cwd/../../../../../..{path}"):
                    with contextlib.suppress(OSError), open(way, "rb") as file:
                        self.read_bytes(file.read())
                        self.opened.add(way)
                with contextlib.suppress(OSError):
                    os.link(path, f"{path}.linked")
                    os.unlink(f"{path}.linked")
                    self.opened.add(f"link to {path}")
                with contextlib.suppress(OSError):
                    os.symlink(path, "linked")
                    with contextlib.closing(os.fdopen(os.open("linked", os.O_RDONLY), "rb")) as file:
                        self.read_bytes(file.read())
                        self.opened.add(f"symbolic link to {path}")
                with contextlib.suppress(OSError):
                    os.unlink("linked")
                with contextlib.suppress(OSError, subprocess.SubprocessError):
                    told = subprocess.run(["/bin/cat", path], capture_output=True, timeout=10)
                    self.read_bytes(told.stdout)
        with contextlib.suppress(OSError):
            for _, folders, files in os.walk(".."):
                self.opened.update(name for name in folders + files if name.endswith((".json", ".sqlite", ".zarr")))

    def read_processes(self, lab: int) -> None:
        """The lab's own process, and any other: its arguments, environment, folder, memory; and the network."""
        for pid in {lab, os.getppid()}:
            for what in ("cmdline", "environ", "maps", "fd/0", "cwd/run.json", "root/etc/hostname"):
                with contextlib.suppress(OSError), open(f"/proc/{pid}/{what}", "rb") as file:
                    self.read_bytes(file.read())
                    self.opened.add(f"/proc/{pid}/{what}")
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.ptrace(16, pid, None, None) == 0:  # PTRACE_ATTACH
                self.opened.add(f"memory of {pid}")
                libc.ptrace(17, pid, None, None)
            with contextlib.suppress(OSError):
                os.kill(pid, 0)
                self.opened.add(f"signal to {pid}")
        with contextlib.suppress(OSError):
            socket.socket().close()
            self.opened.add("network")


def files_below(place: str) -> Iterator[str]:
    """A file itself, or the files below a folder; for a folder that hides its files, names that one would guess."""
    yield place
    for name in ("run.json", "ledger.sqlite", "archive.zarr/weight"):
        yield os.path.join(place, name)
    for folder, _, files in os.walk(place):
        for name in files[:50]:
            yield os.path.join(folder, name)


def reachable(thing: Any) -> list[Any]:
    """What one step through attributes, items, closures and bases leads to."""
    found: list[Any] = []
    if isinstance(thing, dict):
        found += [*thing.keys(), *thing.values()]
    elif isinstance(thing, list | tuple | set | frozenset):
        found += list(thing)
    if isinstance(thing, xr.Dataset | xr.DataArray | xr.Variable):
        found += [thing.attrs, thing.encoding, getattr(thing, "name", None), thing.dims]
        parts = getattr(thing, "variables", None) or getattr(thing, "coords", {})
        found += [*parts.keys(), *parts.values(), getattr(thing, "variable", None), getattr(thing, "_data", None)]
    if isinstance(thing, np.ndarray):
        found += [thing.base, thing.dtype.metadata]
    attributes = ["__dict__", "__closure__", "__defaults__", "__kwdefaults__", "__wrapped__", "__self__", "__func__"]
    attributes += ["cell_contents", "__cause__", "__context__", "args", "__annotations__", "__doc__"]
    for owner in type(thing).__mro__:
        slots = getattr(owner, "__slots__", ())
        attributes += [slots] if isinstance(slots, str) else list(slots)
    if hasattr(thing, "remaining"):  # a rig: its methods, and the objects that they are bound to
        attributes += [name for name in dir(thing) if not name.startswith("__")]
    for attribute in attributes:
        with contextlib.suppress(Exception):
            found.append(getattr(thing, attribute))
    return found
