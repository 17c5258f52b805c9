"""Attacks on the lab by a strict method, and what an honest one needs: each is tried in a real jail.

A jail costs most of a second, so many attacks share one method, which reports those that succeeded.
"""

from __future__ import annotations

import os
import socket
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import psutil
import pytest
from kernel import needs_landlock, needs_seccomp
from toys import ToyChain

from simlab.checks.problem import BRIEF, PracticeRig, spiking_recording
from simlab.contracts import Budget, Finding
from simlab.data import bare
from simlab.execution.execute import execute
from simlab.execution.strict.host import run_strictly
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.stimulating.ideal import Ideal
from simlab.lab.rig import Setup, known_of_units, mounted

LIMITS = {"time_limit": 60.0, "memory_limit": 2**30}


@dataclass(frozen=True)
class Attacker:
    """Tries every attack of one kind; its notes say which succeeded, and how each of the others was refused."""

    name: ClassVar[str] = "attacker"
    question: ClassVar[str] = "topology"
    kind: str
    lab: int = 0  # its process
    folder: str = ""  # its run folder

    def analyse(self, recording, rng):
        succeeded, refused = [], {}
        for name, attack in getattr(self, self.kind)():
            try:
                attack()
                succeeded.append(name)
            except Exception as refusal:
                refused[name] = f"{type(refusal).__name__}: {refusal}"
        return Finding({"b0": 1, "b1": 0, "b2": 0}, notes={"succeeded": succeeded, "refused": refused})

    def owner(self):
        """What whoever owns a file may do to it without opening it, through Python and through C."""
        import ctypes

        libc = ctypes.CDLL(None, use_errno=True)
        path = os.path.join(self.folder, "run.json")
        c_path = path.encode()

        def c(call, *arguments):
            return lambda: _checked(call(*arguments), ctypes.get_errno())

        yield "os.chmod", lambda: os.chmod(path, 0o777)
        yield "os.chmod folder", lambda: os.chmod(self.folder, 0o777)
        yield "os.chown", lambda: os.chown(path, os.getuid(), os.getgid())
        yield "os.lchown", lambda: os.lchown(path, os.getuid(), os.getgid())
        yield "os.utime", lambda: os.utime(path, (1, 1))
        yield "os.utime folder", lambda: os.utime(self.folder, ns=(1, 1))
        yield "os.setxattr", lambda: os.setxattr(path, "user.x", b"1")
        yield "os.removexattr", lambda: os.removexattr(path, "user.lab")
        yield "os.truncate", lambda: os.truncate(path, 0)
        yield "os.unlink", lambda: os.unlink(path)
        yield "os.rename", lambda: os.rename(path, "mine")
        yield "os.link", lambda: os.link(path, "mine")
        yield "c chmod", c(libc.chmod, c_path, 0o777)
        yield "c fchmodat", c(libc.fchmodat, -100, c_path, 0o777, 0)
        yield "c fchmodat2", c(libc.syscall, 452, -100, c_path, 0o777, 0)
        yield "c lchown", c(libc.lchown, c_path, 0, 0)
        yield "c utimes", c(libc.utimes, c_path, None)
        yield "c utimensat", c(libc.utimensat, -100, c_path, None, 0)
        yield "c lsetxattr", c(libc.lsetxattr, c_path, b"user.x", b"1", ctypes.c_size_t(1), 0)
        system = os.open(os.__file__, os.O_RDONLY)  # a file of the installation: readable, and the lab's own
        yield "fchmod", lambda: os.chmod(system, stat.S_IMODE(os.fstat(system).st_mode))
        yield "futimens", lambda: os.utime(system, ns=(os.fstat(system).st_atime_ns, os.fstat(system).st_mtime_ns))
        yield "c inotify", c(libc.inotify_add_watch, libc.inotify_init(), c_path, 0xFFF)

    def processes(self):
        """Limits, priorities and signals of others, the world they share, and memory beyond all limits."""
        import ctypes
        import resource
        import signal

        libc = ctypes.CDLL(None, use_errno=True)

        def c(call, *arguments):
            return lambda: _checked(call(*arguments), ctypes.get_errno())

        yield "prlimit", lambda: resource.prlimit(self.lab, resource.RLIMIT_MSGQUEUE, (0, 0))
        yield "read limits", lambda: resource.prlimit(self.lab, resource.RLIMIT_MSGQUEUE)
        yield "renice", lambda: os.setpriority(os.PRIO_PROCESS, self.lab, 1)
        yield "renice user", lambda: os.setpriority(os.PRIO_USER, 0, 1)
        yield "affinity", lambda: os.sched_setaffinity(self.lab, os.sched_getaffinity(self.lab))
        yield "scheduler", lambda: os.sched_setscheduler(self.lab, os.SCHED_OTHER, os.sched_param(0))
        yield "ioprio", c(libc.syscall, 251, 1, self.lab, (2 << 13) | 7)
        yield "signal", lambda: os.kill(self.lab, 0)
        yield "queued signal", c(libc.sigqueue, self.lab, 0, 0)
        yield "signal to all", lambda: os.kill(-1, 0)
        yield "thread signal", c(libc.syscall, 234, self.lab, self.lab, 0)
        yield "pidfd", lambda: signal.pidfd_send_signal(os.pidfd_open(self.lab), 0)
        yield "death signal", c(libc.prctl, 1, 0, 0, 0, 0)
        yield "memfd", lambda: os.memfd_create("x")
        yield "userfaultfd", c(libc.syscall, 323, 1)
        yield "unshare user", c(libc.unshare, 0x10000000)
        yield "clone user", c(libc.syscall, 56, 0x10000000 | 17, 0, 0, 0, 0)
        yield "clone3", c(libc.syscall, 435, None, 0)
        yield "personality", c(libc.personality, 0x0040000)
        yield "semget", c(libc.semget, 0, 1, 0o600)
        yield "setsid in a child", lambda: _checked(_in_a_child(os.setsid), 1)
        yield "datagram", lambda: _datagram(os.path.join(self.folder, "log"))
        yield "signal by ownership", lambda: _owned(self.lab)

    def links(self):
        """Where no Landlock holds: what Python can do to files other than open them."""
        import ctypes
        import shutil
        import sqlite3

        path = os.path.join(self.folder, "run.json")
        Path("mine").write_text("mine")
        yield "sqlite3", lambda: sqlite3.connect(os.path.join(self.folder, "ledger.sqlite")).execute("select * from t")
        yield "sqlite3 uri", lambda: sqlite3.connect(f"file:{self.folder}/ledger.sqlite?mode=ro", uri=True)
        yield (
            "sqlite3 attach",
            lambda: sqlite3.connect(":memory:").execute(f"attach '{self.folder}/ledger.sqlite' as l"),
        )
        yield "link", lambda: os.link(path, "linked")
        yield "link out", lambda: os.link("mine", os.path.join(self.folder, "planted"))
        yield "symlink", lambda: os.symlink(path, "pointer")
        yield "symlink out", lambda: os.symlink("mine", os.path.join(self.folder, "planted"))
        yield "rename", lambda: os.rename(path, "taken")
        yield "replace", lambda: os.replace("mine", path)
        yield "move", lambda: shutil.move(path, "taken")
        yield "unlink", lambda: os.unlink(path)
        yield "unlink a link", lambda: os.unlink(os.path.join(self.folder, "link"))
        yield "rmdir", lambda: os.rmdir(os.path.join(self.folder, "empty"))
        yield "rmtree", lambda: shutil.rmtree(self.folder)
        yield "mkdir", lambda: os.mkdir(os.path.join(self.folder, "new"))
        yield "chmod", lambda: os.chmod(path, 0o777)
        yield "chown", lambda: os.chown(path, 0, 0)
        yield "utime", lambda: os.utime(path, (1, 1))
        yield "truncate", lambda: os.truncate(path, 0)
        yield "setxattr", lambda: os.setxattr(path, "user.x", b"1")
        yield "kill", lambda: os.kill(self.lab, 0)
        yield "dlopen", lambda: ctypes.CDLL(os.path.join(self.folder, "lib.so"))
        yield "listdir", lambda: os.listdir(os.path.join("..", os.path.basename(self.folder)))
        yield "open", lambda: Path(path).read_text()
        yield "program", lambda: subprocess.run(["/bin/cat", path], check=True)
        yield "datagram", lambda: _datagram(os.path.join(self.folder, "log"))


def _checked(result: int, error: int) -> None:
    if result < 0:
        raise OSError(error, os.strerror(error))


def _in_a_child(call) -> int:
    child = os.fork()
    if child == 0:
        try:
            call()
        except OSError:
            os._exit(1)
        os._exit(0)
    return -os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _datagram(place: str) -> None:
    with socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0] as mine:
        mine.connect(place)
        mine.send(b"hello")


def _owned(lab: int) -> None:
    import fcntl

    fcntl.fcntl(socket.socketpair()[0], fcntl.F_SETOWN, lab)


@pytest.fixture
def run_folder(tmp_path):
    """What a lab leaves about: a run, its ledger, a folder, a link and a socket that listens."""
    import sqlite3

    folder = tmp_path / "run"
    (folder / "empty").mkdir(parents=True)
    (folder / "run.json").write_text("precious")
    (folder / "run.json").chmod(0o644)
    (folder / "link").symlink_to("run.json")
    with sqlite3.connect(folder / "ledger.sqlite") as ledger:
        ledger.execute("create table t (secret text)")
    ledger.close()
    os.utime(folder / "run.json", (10**9, 10**9))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.bind(str(folder / "log"))
        log.setblocking(False)
        yield folder
        with pytest.raises(BlockingIOError):
            log.recv(10)


def untouched(folder: Path) -> bool:
    """Whether the run folder is as it was made."""
    about = (folder / "run.json").stat()
    names = {"empty", "run.json", "link", "ledger.sqlite", "log"}
    return (
        (folder / "run.json").read_text() == "precious"
        and (stat.S_IMODE(about.st_mode), about.st_mtime, about.st_nlink) == (0o644, 10**9, 1)
        and os.listxattr(folder / "run.json") == []
        and {path.name for path in folder.iterdir()} == names
    )


def attempt(kind: str, folder: Path, *, landlock: bool = True) -> list[str]:
    attacker = Attacker(kind, os.getpid(), str(folder))
    outcome = run_strictly(attacker, spiking_recording(2, 1.0), 1, **LIMITS, landlock=landlock)
    assert outcome.error == "", outcome.error + outcome.traceback
    assert len(outcome.finding.notes["refused"]) > 15
    return outcome.finding.notes["succeeded"]


@needs_landlock
@needs_seccomp
def test_a_method_cannot_change_files_of_the_lab_as_their_owner(run_folder):
    assert attempt("owner", run_folder) == []
    assert untouched(run_folder)


@needs_seccomp
@pytest.mark.parametrize("landlock", [True, False])
def test_a_method_cannot_reach_other_processes_or_the_world_they_share(run_folder, landlock):
    """Without Landlock, signals to strangers are refused by the filter."""
    lab = psutil.Process()
    before = lab.nice(), lab.cpu_affinity(), lab.ionice(), lab.rlimit(psutil.RLIMIT_MSGQUEUE)
    assert attempt("processes", run_folder, landlock=landlock) == []
    assert (lab.nice(), lab.cpu_affinity(), lab.ionice(), lab.rlimit(psutil.RLIMIT_MSGQUEUE)) == before


def test_without_landlock_python_cannot_touch_files_elsewhere(run_folder):
    assert attempt("links", run_folder, landlock=False) == []
    assert untouched(run_folder)


# --- recordings -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Planter:
    """Plants links and pipes wherever its next recording may come to lie, and tries to write where it does."""

    name: ClassVar[str] = "planter"
    question: ClassVar[str] = "topology"
    target: str = ""

    def investigate(self, rig, rng):
        import contextlib

        succeeded = []
        inbox = Path()
        for _ in range(2):
            for place in {Path(), inbox}:
                for number in range(1, 4):
                    with contextlib.suppress(OSError):
                        os.symlink(self.target, place / f"recording-{number}.sealed")
                        succeeded += [str(place)] if place != Path() else []
            session = rig.session(trials=1, duration=0.1)
            # the raw reply: where the recording lies
            reply = rig._line.ask({"do": "record", "session": session.to_dict()})
            path = Path(reply["recording"])
            inbox = path.parent
            for attack in (
                lambda path=path: path.unlink(),
                lambda path=path: path.write_bytes(b""),
                lambda path=path: os.rename(path, "taken"),
                lambda inbox=inbox: (inbox / "new").write_bytes(b""),
                lambda inbox=inbox: os.mkfifo(inbox / "pipe"),
            ):
                with contextlib.suppress(OSError):
                    attack()
                    succeeded.append(str(path))
        return Finding({"b0": 1, "b1": 0, "b2": 0}, notes={"succeeded": succeeded})


@needs_landlock
def test_a_method_cannot_plant_a_link_under_its_next_recording(tmp_path):
    (tmp_path / "run.json").write_text("precious")
    rig = PracticeRig(BRIEF, Budget(5, 5.0, 5))
    outcome = execute(Planter(str(tmp_path / "run.json")), rig, entropy=1, strict=True, **LIMITS)
    assert outcome.error == "", outcome.traceback
    assert outcome.finding.notes["succeeded"] == []
    assert rig.remaining.trials == 3
    assert (tmp_path / "run.json").read_text() == "precious"


# --- requests -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Spender:
    """Asks its rig for what it has not paid for."""

    name: ClassVar[str] = "spender"
    question: ClassVar[str] = "topology"

    def investigate(self, rig, rng):
        import contextlib

        from simlab.contracts import SimlabError

        bought = []
        for trials, duration in ((300_000_000, 0.1), (21, 0.1), (1, 1e9)):
            with contextlib.suppress(SimlabError):
                bought.append(rig.session(trials=trials, duration=duration).trials)
        rig.remaining = Budget()
        for _ in range(30):
            with contextlib.suppress(SimlabError):
                bought.append(rig.record(rig.session(trials=1, duration=0.1)).sizes["trial"])
        return Finding({"b0": 1, "b1": 0, "b2": 0}, notes={"bought": bought})


def test_a_strict_method_gets_what_its_budget_buys():
    rng = np.random.default_rng(0)
    subject = ToyChain().subject(rng)
    implant = Perfect().implant(subject.anatomy, rng)
    setup = Setup(
        lambda trials, duration: subject.session(trials=trials, duration=duration, rng=rng),
        lambda session: bare(implant.record(subject.run(session, rng), rng)),
        Ideal().install(subject.anatomy, implant.key, rng),
        6,
    )
    with mounted(setup, known_of_units(6, {"unit_x": np.zeros(6)}), Budget(20, 99.0, 0), BRIEF) as rig:
        outcome = execute(Spender(), rig, entropy=1, strict=True, **LIMITS)
        assert rig.spent.trials == 20
    assert outcome.error == "", outcome.traceback
    assert outcome.finding.notes["bought"] == [1] * 20


# --- what an honest method needs --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Honest:
    """Does in its room what libraries do; its notes say what was refused."""

    name: ClassVar[str] = "honest"
    question: ClassVar[str] = "topology"
    python_only: bool = False

    def analyse(self, recording, rng):
        refused = {}
        for use in (self.files, self.threads, self.own_limits, self.libraries, *self._beyond()):
            try:
                use()
            except Exception as refusal:
                refused[use.__name__] = f"{type(refusal).__name__}: {refusal}"
        return Finding({"b0": 1, "b1": 0, "b2": 0}, notes=refused)

    def _beyond(self):
        return () if self.python_only else (self.programs, self.databases)

    def files(self):
        import shutil
        import tempfile

        Path("a").write_text("a")
        Path("a").touch()
        shutil.copyfile("a", "b")
        os.replace("b", "c")
        os.link("c", "d")
        os.symlink("c", "e")
        assert Path("e").read_text() == "a"
        os.unlink("e")
        os.makedirs("deep/er")
        shutil.move("d", "deep/er/d")
        shutil.rmtree("deep")
        with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile(dir=folder) as file:
            file.write(b"x")
            file.truncate(0)

    def threads(self):
        import asyncio
        import multiprocessing
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(2) as pool:
            assert sum(pool.map(abs, (-1, -2))) == 3
        asyncio.run(asyncio.sleep(0))
        child = multiprocessing.get_context("fork").Process(target=os.getpid)
        child.start()
        child.join()
        assert child.exitcode == 0

    def own_limits(self):
        import resource
        import signal

        resource.setrlimit(resource.RLIMIT_NOFILE, resource.getrlimit(resource.RLIMIT_NOFILE))
        os.sched_setaffinity(0, os.sched_getaffinity(0))
        os.nice(0)
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        os.kill(os.getpid(), signal.SIGUSR1)
        signal.raise_signal(signal.SIGUSR1)

    def libraries(self):
        import joblib
        import matplotlib

        matplotlib.use("agg")
        import matplotlib.pyplot as plt

        plt.plot([1, 2])
        plt.savefig("figure.png")
        memory = joblib.Memory("cache", verbose=0)
        assert memory.cache(sorted)([2, 1]) == [1, 2]
        assert joblib.Parallel(2, prefer="threads")(joblib.delayed(abs)(x) for x in (-1, -2)) == [1, 2]

    def programs(self):
        assert subprocess.run(["/bin/echo", "a"], capture_output=True, check=True).stdout == b"a\n"
        sleeper = subprocess.Popen(["/bin/sleep", "60"])
        sleeper.terminate()
        assert sleeper.wait() != 0

    def databases(self):
        import sqlite3

        with sqlite3.connect("own.sqlite") as own:
            own.execute("create table t (a int)")


@pytest.mark.parametrize("landlock", [pytest.param(True, marks=needs_landlock), False])
def test_what_libraries_do_in_a_method_s_own_room_is_left_to_it(landlock):
    outcome = run_strictly(Honest(not landlock), spiking_recording(2, 1.0), 1, **LIMITS, landlock=landlock)
    assert outcome.error == "", outcome.traceback
    assert outcome.finding.notes == {}
