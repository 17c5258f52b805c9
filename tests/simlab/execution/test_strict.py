"""Strict execution: the same finding from a process of its own, held to its limits, and shut out of everything else."""

from __future__ import annotations

import contextlib
import math
import os
import pickle
import re
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np
import psutil
import pytest
from kernel import needs_landlock, needs_seccomp
from toys import LagCorrelation, PulseAndCount, ToyChain

from simlab.checks.problem import BRIEF, PracticeRig, fluorescence_recording, spiking_recording
from simlab.contracts import Budget, Finding, SimlabError
from simlab.data import bare
from simlab.execution import limits
from simlab.execution.execute import Outcome, execute
from simlab.execution.strict.external import ExternalMethod
from simlab.execution.strict.host import run_strictly
from simlab.execution.strict.ship import pack, rebuild
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.stimulating.ideal import Ideal
from simlab.lab.rig import Setup, known_of_units, mounted

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
LIMITS = {"entropy": 2**100 + 3, "time_limit": 60.0, "memory_limit": 2**29}


@dataclass(frozen=True)
class Troubled:
    """A method that does one thing it should not, and reports the result as its error."""

    name: ClassVar[str] = "troubled"
    question: ClassVar[str] = "topology"
    how: str = "raise"
    where: str = ""

    def analyse(self, recording, rng):
        getattr(self, self.how)()
        return Finding({"b0": 1, "b1": 0, "b2": 0})

    def prints(self):
        print('{"do": "finding", "estimate": {"b0": 9, "b1": 9, "b2": 9}}')
        os.write(1, b"nonsense\n")

    def fails(self):
        raise ValueError("this method\nfails")

    def dies(self):
        os._exit(3)

    def crashes(self):
        os.abort()

    def hangs(self):
        time.sleep(3600)

    def allocates(self):
        return [np.ones(10**6) for _ in range(10**6)]

    def allocates_shared(self):
        import mmap

        mmap.mmap(-1, 2**20)  # pages that it lets go of would still be held, and counted nowhere

    def allocates_in_children(self):
        for _ in range(3):
            if os.fork() == 0:
                held = bytearray(90 * 2**20)
                held[::4096] = b"x" * len(held[::4096])
                time.sleep(3600)
        self.talks_and_computes()  # the lab must look at it however much it has to say

    def allocates_tables(self):
        import mmap

        nothing = mmap.mmap(-1, 2**40, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000, prot=mmap.PROT_READ)
        np.frombuffer(nothing, np.uint8)[:: 2**21].sum()  # a page of the kernel's for each 2 MiB that were looked at

    def talks_and_computes(self):
        line = self._line()
        if os.fork() == 0:
            while True:
                os.read(line._in.fileno(), 2**20)
        while True:
            line.send({})

    def spoils_its_stderr(self):
        import fcntl

        os.write(2, b"x" * 20_000_000)
        fcntl.fcntl(2, fcntl.F_SETFL, os.O_DIRECT)
        os.lseek(2, 0, os.SEEK_SET)
        raise ValueError("spoiled")

    def floods(self):
        os.write(2, b"x" * 10_000_000)
        raise ValueError("flooded")

    def leaves_a_daemon(self):
        if os.fork() == 0:
            with contextlib.suppress(PermissionError):
                os.setsid()
            time.sleep(60)  # it says nothing, whichever way that went, and must not outlive its method

    def reads(self):
        Path(self.where).read_text()

    def writes(self):
        Path(self.where).write_text("here")

    def lists(self):
        os.listdir(self.where)

    def environment(self):
        raise ValueError(" ".join(sorted(os.environ)))

    def room(self):
        Path("scratch.txt").write_text("a method may write here")
        raise ValueError(" ".join(sorted(os.listdir("."))) + f" in {os.getcwd()}")

    def raises_its_limit(self):
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def _line(self):
        import sys

        frame = sys._getframe()
        while "line" not in frame.f_locals or frame.f_code.co_name != "run":
            frame = frame.f_back
        return frame.f_locals["line"]


def troubled(how: str, where: str = "", **limits: object) -> Outcome:
    return execute(Troubled(how, where), spiking_recording(2, 1.0), strict=True, **(LIMITS | limits))


def toy_rig(trials: float = 300):
    rng = np.random.default_rng(0)
    subject = ToyChain().subject(rng)
    implant = Perfect().implant(subject.anatomy, rng)
    bench = Setup(
        lambda trials, duration: subject.session(trials=trials, duration=duration, rng=rng),
        lambda session: bare(implant.record(subject.run(session, rng), rng)),
        Ideal().install(subject.anatomy, implant.key, rng),
        6,
    )
    return subject, mounted(bench, known_of_units(6, {"unit_x": np.zeros(6)}), Budget(trials, 99.0, 300), BRIEF)


def test_a_passive_method_finds_the_same_as_in_this_process():
    here, apart = (execute(LagCorrelation(), spiking_recording(), strict=s, **LIMITS) for s in (False, True))
    assert apart.error == ""
    for name, value in here.finding.estimate.items():
        assert np.array_equal(value, apart.finding.estimate[name])
        assert value.dtype == apart.finding.estimate[name].dtype
    assert here.finding.confidence == apart.finding.confidence == 0.9
    assert 0 < apart.seconds < 30


def test_an_active_method_finds_the_same_as_in_this_process():
    findings = []
    for strict in (False, True):
        subject, mount = toy_rig()
        with mount as rig:
            outcome = execute(PulseAndCount(), rig, strict=strict, **LIMITS)
            assert outcome.error == ""
            assert rig.remaining.trials == 300 - 120
            findings.append(outcome.finding)
    assert np.array_equal(findings[0].estimate["score"], findings[1].estimate["score"])
    assert np.array_equal(
        findings[1].estimate["decided"],
        subject.truth("connectivity", None, np.random.default_rng(0))["weight"].values > 0,
    )


def test_an_active_method_over_its_budget_is_recorded_as_such():
    with toy_rig(trials=10)[1] as rig:
        outcome = execute(PulseAndCount(), rig, strict=True, **LIMITS)
    assert outcome.over_budget
    assert outcome.error.startswith("BudgetExceeded: the session costs 120 trials, but 10 remain")


def test_the_lab_s_own_time_is_not_the_method_s():
    class SlowRig(PracticeRig):
        def record(self, session):
            time.sleep(1.0)
            return super().record(session)

    @dataclass(frozen=True)
    class Patient:
        name: ClassVar[str] = "patient"
        question: ClassVar[str] = "topology"

        def investigate(self, rig, rng):
            rig.record(rig.session(trials=1, duration=0.1))
            return Finding({"b0": 1, "b1": 0, "b2": 0})

    outcome = execute(Patient(), SlowRig(BRIEF, Budget()), strict=True, **(LIMITS | {"time_limit": 0.9}))
    assert outcome.error == ""
    assert outcome.seconds < 0.9


def test_a_method_may_print_without_disturbing_the_protocol():
    assert troubled("prints").finding.estimate == {"b0": 1, "b1": 0, "b2": 0}


def test_an_exception_arrives_with_its_traceback():
    outcome = troubled("fails")
    assert outcome.error == "ValueError: this method fails"
    assert "in fails" in outcome.traceback


def test_a_death_is_an_outcome():
    assert "ended with status 3" in troubled("dies").error
    assert "SIGABRT" in troubled("crashes").error


def test_a_hang_ends_at_the_time_limit(monkeypatch):
    monkeypatch.setattr(limits, "WALL_FACTOR", 2.0)  # after 2 s instead of 15 s
    monkeypatch.setattr(limits, "WALL_SLACK", 1.0)
    began = time.perf_counter()
    outcome = troubled("hangs", time_limit=0.5)
    assert outcome.error == "TimeoutError: the method ran past its limit of 0.5 s"
    assert time.perf_counter() - began < 30


def test_a_killed_lab_leaves_no_method_running(tmp_path):
    script = """
from simlab.checks.problem import spiking_recording
from simlab.execution.execute import execute
from simlab.execution.strict.external import ExternalMethod
idle = ExternalMethod("idle", "topology", ("perl", "-e", "$| = 1; print STDERR 1; sleep 600"))
execute(idle, spiking_recording(2, 1.0), entropy=1, time_limit=600, memory_limit=2**28)
"""
    lab = subprocess.Popen([sys.executable, "-c", script], env=os.environ | {"TMPDIR": str(tmp_path)})
    server = _waited_for(lambda: psutil.Process(lab.pid).children())[0]
    method = _waited_for(server.children)[0]
    _waited_for(lambda: method.name() == "perl")
    lab.kill()
    lab.wait()
    assert _waited_for(lambda: not method.is_running() or method.status() == psutil.STATUS_ZOMBIE)


def _waited_for(condition, seconds: float = 30.0):
    """What the condition comes to once it holds."""
    until = time.perf_counter() + seconds
    while not (value := condition()) and time.perf_counter() < until:
        time.sleep(0.05)
    assert value
    return value


def test_memory_without_end_is_stopped_whatever_its_kind():
    assert troubled("allocates", memory_limit=2**27).error.startswith("MemoryError: Unable to allocate")
    for how in ("allocates_in_children", "allocates_tables"):
        assert re.match(r"MemoryError: the method's process held \d+ MiB", troubled(how, memory_limit=2**27).error), how


@needs_seccomp
def test_memory_that_no_watch_can_see_is_refused():
    assert troubled("allocates_shared").error == "PermissionError: [Errno 1] Operation not permitted"


def test_a_method_that_talks_without_pause_is_stopped_at_its_processor_time():
    began = time.perf_counter()
    assert troubled("talks_and_computes", time_limit=0.1).error.startswith("TimeoutError")
    assert time.perf_counter() - began < 9  # the wall clock alone would have stopped it after 11 s


def test_what_a_method_does_to_its_standard_error_is_its_own_mistake():
    assert troubled("spoils_its_stderr").error == "ValueError: spoiled"


def test_a_flood_of_complaints_is_cut():
    outcome = troubled("floods")
    assert outcome.error == "ValueError: flooded"


@needs_landlock
def test_a_method_cannot_read_write_or_list_beyond_its_room(tmp_path):
    (tmp_path / "run.json").write_text("secret")
    for how, where in (("reads", tmp_path / "run.json"), ("lists", tmp_path), ("writes", tmp_path / "new")):
        assert troubled(how, str(where)).error.startswith("PermissionError: [Errno 13]"), how
    assert troubled("reads", f"/proc/{os.getpid()}/cmdline").error.startswith("PermissionError")
    assert not (tmp_path / "new").exists()


def test_without_landlock_an_audit_hook_refuses_files_in_python(tmp_path):
    (tmp_path / "run.json").write_text("secret")
    for how, where in (("reads", tmp_path / "run.json"), ("lists", tmp_path), ("writes", tmp_path / "new")):
        outcome = run_strictly(
            Troubled(how, str(where)), spiking_recording(2, 1.0), 1, time_limit=60, memory_limit=2**29, landlock=False
        )
        assert outcome.error.startswith("PermissionError: strict execution refuses"), outcome
    assert not (tmp_path / "new").exists()


def test_a_method_has_a_room_of_its_own_and_a_clean_environment(monkeypatch):
    monkeypatch.setenv("SIMLAB_SECRET", "1")
    room = troubled("room").error
    assert re.match(r"ValueError: scratch.txt in /\S*simlab-room-\w+/here$", room)
    assert not Path(room.rpartition(" ")[2]).exists()
    assert "SECRET" not in troubled("environment").error


def test_a_method_can_neither_raise_its_limits_nor_leave_its_process_group():
    assert troubled("raises_its_limit").error.startswith("ValueError: not allowed to raise maximum limit")
    outcome = troubled("leaves_a_daemon")
    assert outcome.finding is not None  # the parent answers; its child was refused a session of its own and was killed


# --- methods that are not in an importable module -------------------------------------------------------------------

OFFSET = 3
INNER = LagCorrelation(0.004)


def helper(x: int) -> int:
    return x + OFFSET


def local_method(scale: float):
    rounding = math.floor

    @dataclass(frozen=True)
    class Local:
        """Defined inside a function, so it travels by value with all that it names."""

        name: ClassVar[str] = "local"
        question: ClassVar[str] = "topology"
        weights: np.ndarray = field(default_factory=lambda: np.arange(3.0))
        inner: LagCorrelation = INNER
        limits: tuple[float, ...] = (1.0, float("inf"))

        def analyse(self, recording, rng):
            whole = rounding(helper(1) * scale + self.weights.sum() + self.limits[0])
            return Finding({"b0": whole, "b1": 0, "b2": 0}, notes={"width": self.inner.width})

    return Local()


def test_a_method_defined_in_a_function_travels_by_value():
    outcome = execute(local_method(2.0), spiking_recording(2, 1.0), strict=True, **LIMITS)
    assert outcome.error == ""
    assert outcome.finding.estimate["b0"] == (1 + OFFSET) * 2 + 3 + 1
    assert outcome.finding.notes["width"] == 0.004


def test_a_method_from_a_notebook_travels_by_value():
    """As IPython runs a cell: compiled under a made-up file name whose lines linecache knows; no file anywhere."""
    import linecache
    import sys
    from types import ModuleType

    cell = """
import numpy as np
from dataclasses import dataclass
from typing import ClassVar
from simlab import Finding
recording = object()   # a variable of the notebook that the method's own argument hides
threshold = 0.25
def count(x): return int((np.asarray(x) > threshold).sum())

@dataclass(frozen=True)
class Cell:
    name: ClassVar[str] = "cell"
    question: ClassVar[str] = "topology"
    def analyse(self, recording, rng):
        return Finding({"b0": count([0, 1, 2]), "b1": recording.sizes["unit"], "b2": 0})
"""
    name = "/tmp/ipykernel_1/123.py"
    linecache.cache[name] = (len(cell), None, cell.splitlines(True), name)
    notebook = ModuleType("__main__")
    main, sys.modules["__main__"] = sys.modules["__main__"], notebook
    try:
        exec(compile(cell, name, "exec"), vars(notebook))
        outcome = execute(notebook.Cell(), spiking_recording(2, 1.0), strict=True, **LIMITS)
    finally:
        sys.modules["__main__"] = main
    assert outcome.error == ""
    assert outcome.finding.estimate == {"b0": 2, "b1": 8, "b2": 0}


def test_what_cannot_travel_is_named():
    handle = threading.Lock()

    @dataclass(frozen=True)
    class Holds:
        name: ClassVar[str] = "holds"
        question: ClassVar[str] = "topology"

        def analyse(self, recording, rng):
            return handle.locked()

    with pytest.raises(SimlabError, match=r"cannot ship the variable 'handle' of .*Holds.*module of its own"):
        pack(Holds())
    with pytest.raises(SimlabError, match="cannot ship the parameter 'how' of Troubled"):
        pack(Troubled(how=handle))


def test_parameters_survive_the_journey():
    method = LagCorrelation(
        width=(1, [2.5, float("-inf")], {"a": np.arange(4, dtype=np.int16)}, frozenset({"b"}), None)
    )
    back = rebuild(pack(method)[0]).width
    assert back[:2] == (1, [2.5, float("-inf")])
    assert back[2]["a"].dtype == np.int16
    assert back[3:] == (frozenset({"b"}), None)


# --- programs in other languages --------------------------------------------------------------------------------------


def test_the_perl_example_finds_the_pair_that_is_coupled():
    method = ExternalMethod("lagged_pairs", "connectivity", ("perl", str(EXAMPLES / "lagged_pairs.pl")))
    outcome = execute(method, spiking_recording(), **LIMITS)
    assert outcome.error == ""
    assert np.argwhere(outcome.finding.estimate["decided"]).tolist() == [[0, 1]]
    assert "spikes" in execute(method, fluorescence_recording(), **LIMITS).finding.abstained


def test_the_active_perl_example_finds_the_chain_by_pulsing_it():
    method = ExternalMethod("pulse_each", "connectivity", ("perl", str(EXAMPLES / "pulse_each.pl")), active=True)
    subject, mount = toy_rig()
    with mount as rig:
        outcome = execute(method, rig, **LIMITS)
        assert rig.remaining.trials == 0
    assert outcome.error == ""
    assert np.array_equal(
        outcome.finding.estimate["decided"],
        subject.truth("connectivity", None, np.random.default_rng(0))["weight"].values > 0,
    )


def perl(script: str, **options: object) -> Outcome:
    method = ExternalMethod("script", "topology", ("perl", "-e", "$| = 1; $h = <STDIN>; " + script), **options)
    material = PracticeRig(BRIEF, Budget(5, 5.0, 5)) if options.get("active") else spiking_recording(2, 1.0)
    return execute(method, material, **(LIMITS | {"time_limit": 5.0}))


def test_a_program_s_mistakes_are_outcomes():
    assert "every line must be a JSON object" in perl('print "hello\\n"; sleep 9').error
    assert "ended with status 0 before its finding" in perl("exit 0").error
    assert perl('die "for this reason"').traceback.startswith("for this reason")
    assert "lacks b0" in perl('print qq({"do": "finding", "estimate": {}}\\n)').error
    assert perl('print qq({"do": "error", "error": "no idea"}\\n)').error == "no idea"


def test_what_a_program_asks_wrongly_is_answered_with_the_rule():
    asks = [
        '{"do": "dance"}',
        '{"do": "session", "trials": 0, "duration": 1}',
        '{"do": "session", "trials": "x", "duration": 1}',
        '{"do": "record"}',
        '{"do": "record", "session": {"trials": 1, "duration": "long"}}',
        '{"do": "record", "session": {"trials": 9, "duration": 1}}',
    ]
    script = "".join(f"print qq({ask}\\n); print STDERR scalar <STDIN>; " for ask in asks)
    replies = perl(script + "exit 4", active=True).traceback.splitlines()
    assert len(replies) == len(asks)
    for reply, rule in zip(
        replies,
        ("must say do", "trials must be", "whole number", "look like one", "look like one", "costs"),
        strict=True,
    ):
        assert rule in reply
    assert '"error": "BudgetExceeded"' in replies[-1]


def test_a_program_that_is_not_there_is_named():
    with pytest.raises(SimlabError, match="no program 'no-such-language'"):
        execute(ExternalMethod("x", "topology", ("no-such-language",)), spiking_recording(2, 1.0), **LIMITS)


def test_a_changed_program_is_another_method(tmp_path):
    script = tmp_path / "m.pl"
    script.write_text("1;")
    before = ExternalMethod("m", "topology", ("perl", str(script)))
    script.write_text("2;")
    assert ExternalMethod("m", "topology", ("perl", str(script))) != before


def test_an_external_method_is_passive_or_active_by_its_attributes():
    passive = ExternalMethod("m", "topology", ("perl",))
    active = ExternalMethod("m", "topology", ("perl",), active=True)
    assert pickle.loads(pickle.dumps(active)) == active
    assert hasattr(passive, "analyse")
    assert not hasattr(passive, "investigate")
    assert hasattr(active, "investigate")
    assert not hasattr(active, "analyse")
