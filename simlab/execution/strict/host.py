"""The lab's side of strict execution: starts the jailed process, serves its requests, holds it to its limits."""

from __future__ import annotations

import base64
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

from simlab.contracts import Finding, SimlabError
from simlab.data import RECORDING, to_json
from simlab.errors import HouseFault
from simlab.execution.material import known_of
from simlab.execution.outcome import Outcome, one_line, time_error
from simlab.execution.strict.dialogue import Dialogue, longest_line, plain_budget
from simlab.execution.strict.forking import ONE_THREAD, STARTUP, ServerDied, fork, load
from simlab.execution.strict.places import python_folders
from simlab.execution.strict.process import Ended, Process
from simlab.execution.strict.ship import pack
from simlab.litter import room

VERSION = 3
"""Of the protocol."""


def run_strictly(
    method: Any,
    material: Any,
    entropy: int,
    time_limit: float,
    memory_limit: int,
    *,
    landlock: bool = True,
) -> Outcome:
    """The raw outcome of a method in a process of its own; see `simlab.execution.execute.execute`.

    landlock=False leaves it out, as on a kernel that has none. Raises SimlabError where the method cannot be shipped,
    and ServerDied where somebody ends its processes: a passive method is begun once more before that.
    """
    everything = method, material, entropy, time_limit, memory_limit, landlock
    try:
        return _run(*everything)
    except ServerDied:
        if hasattr(material, "record"):  # what it has spent is gone
            raise
        return _run(*everything)


def _run(method: Any, material: Any, entropy: int, time_limit: float, memory_limit: int, landlock: bool) -> Outcome:
    with _rooms() as (folder, inbox):
        external = getattr(method, "command", None) is not None
        packed, roots = (b"", {}) if external else pack(method)
        spec: dict[str, Any] = {
            "room": folder,
            "memory": None,
            "file_size": max(memory_limit, 1 << 20),
            "landlock": landlock,
        }
        spec |= _of_program(method, memory_limit) if external else _of_python(roots)
        spec["read"] = [*spec["read"], inbox]
        dialogue = Dialogue(material, inbox)
        hello = _hello(method, material, entropy, dialogue)
        hello |= {} if external else {"method": base64.b64encode(packed).decode()}
        with _started(spec, folder, memory_limit) as process:
            conversation = _Conversation(process, dialogue, hello["n_units"], hello["recording"] is None)
            return conversation.hold(hello, time_limit, ready=not external)


@contextmanager
def _rooms() -> Iterator[tuple[str, str]]:
    """The folder of a method, and the one that it can only read; that they cannot be made is no fault of the method."""
    with ExitStack() as stack:
        try:
            folders = [stack.enter_context(room()) for _ in range(2)]
        except OSError as error:
            raise HouseFault(
                f"strict execution finds no place for its folders ({error}): free some, or set TMPDIR"
            ) from error
        yield str(folders[0]), str(folders[1])


def _of_python(roots: Mapping[str, str]) -> dict[str, Any]:
    config = os.path.join(sys.prefix, "pyvenv.cfg")
    return {"python": {"roots": dict(roots)}, "read": [*python_folders(), config, *roots.values()], "network": False}


def _of_program(method: Any, memory_limit: int) -> dict[str, Any]:
    program = shutil.which(method.command[0], path=_environment("")["PATH"])
    if program is None:
        raise SimlabError(f"{method.name}: there is no program {method.command[0]!r} on this machine: install it")
    files = [program, os.path.realpath(program), *(part for part in method.command[1:] if os.path.isabs(part))]
    return {
        "command": [program, *method.command[1:]],
        "read": [*files, *method.reads],
        "network": method.network,
        "memory": memory_limit,
    }


def _environment(room: str) -> dict[str, str]:
    """All that the process learns from its environment: where it may write, and how many threads to use."""
    clean = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONHASHSEED": "0"}
    clean |= dict.fromkeys(("HOME", "TMPDIR", "XDG_CACHE_HOME", "MPLCONFIGDIR", "NUMBA_CACHE_DIR"), room)
    return clean | ONE_THREAD


@contextmanager
def _started(spec: Mapping[str, Any], room: str, memory_limit: int) -> Iterator[Process]:
    process = Process(fork(spec, _environment(room)), memory_limit)
    try:
        yield process
    finally:
        process.kill()


def _hello(method: Any, material: Any, entropy: int, dialogue: Dialogue) -> dict[str, Any]:
    """The first message: what is asked, and the material or what an active method knows beforehand."""
    sizes, brief = known_of(material)
    hello = {
        "protocol": VERSION,
        "question": method.question,
        "entropy": str(entropy),  # a string: 128 bits are more than most languages' numbers hold
        "seed": entropy % 2**31,
        "n_units": sizes["unit"],
        "recording": None,
        "brief": to_json(brief),
    }
    if not hasattr(material, "record"):
        return hello | {"recording": dialogue.deliver(material)}
    known = {str(k): v.values.tolist() for k, v in material.units.data_vars.items() if RECORDING.get(k) == ("unit",)}
    return hello | {"units": known, "remaining": plain_budget(material.remaining)}


class _Conversation:
    """One method's requests and the lab's replies, until its finding or its end."""

    def __init__(self, process: Process, dialogue: Dialogue, n_units: int, active: bool) -> None:
        self.process, self.dialogue = process, dialogue
        process.longest_line = longest_line(n_units, active=active)

    def hold(self, hello: Mapping[str, Any], time_limit: float, *, ready: bool) -> Outcome:
        """Greets the process and serves it until it is done; `ready`: it says when it has loaded."""
        seconds, base = 0.0, 0
        try:
            if ready:
                if self.process.receive(STARTUP).get("do") != "ready":
                    raise Ended("RuntimeError: the method's process did not start")
                base = self.process.peak()
                self.process.limit_memory()
            self.process.start_clock(time_limit)
            self.process.send(hello)
            answer = self._serve()
            seconds = self.process.seconds()
            load(answer.get("loaded"))
            found = _outcome(answer, seconds, max(0, self.process.peak() - base))
            return replace(found, printed=self.process.complaints())
        except TimeoutError:
            return Outcome(None, time_error(time_limit), self.process.complaints(), False, time_limit, 0)
        except Ended as end:
            return Outcome(None, str(end), self.process.complaints(), False, seconds, max(0, self.process.top - base))

    def _serve(self) -> dict[str, Any]:
        """Replies to requests until a message is an answer; returns that."""
        while True:
            message = self.process.receive()
            if message.get("do") in ("finding", "error"):
                return message
            with self.process.clock_stopped():
                reply = self._reply(message)
            self.process.send(reply)

    def _reply(self, message: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return self.dialogue.reply(message)
        except HouseFault:
            raise
        except Exception as fault:  # the lab's own, as it would surface inside a method that runs in this process
            raise Ended(one_line(fault)) from fault


def _outcome(answer: Mapping[str, Any], seconds: float, peak: int) -> Outcome:
    if answer["do"] == "error":
        error = " ".join(str(answer.get("error") or "RuntimeError: it gave no reason").split())[:1000]
        return Outcome(None, error, str(answer.get("traceback", "")), answer.get("over_budget") is True, seconds, peak)
    finding = Finding(
        answer.get("estimate") or {}, answer.get("confidence"), answer.get("abstained") or "", answer.get("notes") or {}
    )
    return Outcome(finding, "", "", False, seconds, peak)
