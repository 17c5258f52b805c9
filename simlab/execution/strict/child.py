"""The inside of strict execution: a Python method, its sealed recording or the far end of its rig, and its answer."""

from __future__ import annotations

import base64
import json
import os
import sys
import traceback
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, BinaryIO

import numpy as np
import xarray as xr

from simlab.contracts import Budget, BudgetExceeded, Finding, SimlabError
from simlab.data import UNITS, from_json, recording
from simlab.data.vocabulary import DTYPES
from simlab.execution.outcome import one_line, trace_of
from simlab.execution.state import generator
from simlab.execution.strict.seal import unseal
from simlab.execution.strict.ship import rebuild
from simlab.rules.received import finite, whole
from simlab.session import Session
from simlab.text import plain_notes


class Line:
    """The two ends of the protocol, moved off stdin and stdout so that a method may print."""

    def __init__(self) -> None:
        self._in: BinaryIO = os.fdopen(os.dup(0), "rb")
        self._out: BinaryIO = os.fdopen(os.dup(1), "wb")
        os.dup2(2, 1)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)

    def send(self, message: Mapping[str, Any]) -> None:
        """Writes one message."""
        self._out.write(json.dumps(message).encode() + b"\n")
        self._out.flush()

    def receive(self) -> dict[str, Any]:
        """Reads the lab's next message."""
        return json.loads(self._in.readline())

    def ask(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """The lab's reply to a request; raises what the lab refuses it with."""
        self.send(message)
        reply = self.receive()
        if "error" in reply:
            raise (BudgetExceeded if reply["error"] == "BudgetExceeded" else SimlabError)(reply["message"])
        return reply


class RemoteRig:
    """A rig at the other end of the line."""

    def __init__(self, line: Line, hello: Mapping[str, Any]) -> None:
        self._line = line
        self.units = xr.Dataset(
            {
                name: (
                    "unit",
                    np.array(values, dtype=DTYPES.get(name)),
                    {"units": UNITS[name]} if name in UNITS else {},
                )
                for name, values in hello["units"].items()
            },
            {"unit": np.arange(hello["n_units"])},
        )
        self.brief = from_json(hello["brief"])
        self.remaining = budget(hello["remaining"])

    def session(self, *, trials: int, duration: float) -> Session:
        """The circuit's natural task; see `simlab.lab.rig`."""
        reply = self._line.ask(
            {"do": "session", "trials": whole("trials", trials, least=1), "duration": finite("a duration", duration)}
        )
        return Session.from_dict(reply["session"])

    def record(self, session: Session) -> xr.Dataset:
        """A recording of a session; raises BudgetExceeded and SimlabError as the lab's own rig does."""
        reply = self._line.ask({"do": "record", "session": session.to_dict()})
        self.remaining = budget(reply["remaining"])
        return unseal(reply["recording"])

    def foretell(self, session: Session) -> xr.Dataset:
        """What the candidate models do when they are shown this; see `simlab.lab.rig`."""
        return unseal(self._line.ask({"do": "foretell", "session": session.to_dict()})["recording"])


def budget(plain: Mapping[str, float | None]) -> Budget:
    """What remains, of JSON: null is without limit."""
    return Budget(**{name: float("inf") if left is None else left for name, left in plain.items()})


def warm_up() -> None:
    """Loads the parts of numpy and xarray that every method needs."""
    recording(duration=1.0, n_units=1, n_trials=1, spikes=(np.zeros(0), np.zeros(0), np.zeros(0)))


def run() -> None:
    """Says `ready`, is told its method and material, and answers with a finding or an error."""
    line = Line()
    before = set(sys.modules)
    line.send({"do": "ready"})
    hello = line.receive()
    try:
        method = rebuild(base64.b64decode(hello["method"]))
        rng = generator(int(hello["entropy"]))
        if hello["recording"] is not None:
            finding = method.analyse(unseal(hello["recording"]), rng)
        else:
            finding = method.investigate(RemoteRig(line, hello), rng)
        answer = plain_finding(finding)
    except BaseException as problem:
        if isinstance(problem, MemoryError):  # room to report in
            traceback.clear_frames(problem.__traceback__)
        trace = trace_of(problem)
        over = isinstance(problem, BudgetExceeded)
        answer = {"do": "error", "error": one_line(problem), "traceback": trace, "over_budget": over}
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()  # what it printed is read when the answer comes, and then this process is ended
    line.send(answer | {"loaded": sorted(set(sys.modules) - before)})
    line.receive()  # the lab reads off what this process used, and then ends it


def plain_finding(finding: Any) -> dict[str, Any]:
    """A finding as the protocol's JSON object."""
    if not isinstance(finding, Finding):
        raise SimlabError(
            f"a method must return a Finding, got {type(finding).__name__}: return simlab.Finding(estimate={{...}})"
        )
    confidence = finding.confidence
    return {
        "do": "finding",
        "estimate": {str(name): np.asarray(value).tolist() for name, value in finding.estimate.items()},
        "confidence": None if confidence is None else np.asarray(confidence).tolist(),
        "abstained": finding.abstained,
        "notes": plain_notes(finding.notes),
    }
