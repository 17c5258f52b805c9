"""One cell: a subject is run, recorded, analysed blind, and the finding scored against the projected truth.

`run_cell` is the picture of DESIGN.md, top to bottom; the rest of this file says how each arrow is seeded,
cached and timed. Everything here runs in a worker process and depends on nothing but the cell and its settings.
"""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import numpy as np
import xarray as xr

from simlab.contracts import Budget, Finding, SimlabError
from simlab.data import bare, check_activity
from simlab.execution.execute import Outcome, execute, off_the_clock
from simlab.experiment import Baseline, Cell
from simlab.fingerprint import engine_hash, fingerprint, label, parameters, part_hash, value_hash
from simlab.lab.rig import Bench, known_of_units, mounted
from simlab.provenance import versions
from simlab.registry import get, name_of
from simlab.session import Session
from simlab.store.archive import Archive, ArchiveError
from simlab.store.ledger import Row, pack
from simlab.streams import digest_int, stream

T = TypeVar("T")

EXHIBIT_ELEMENTS = 40_000
"""Findings of more numbers than this (100 x 100 in four arrays) are scored but not kept."""


@dataclass(frozen=True)
class Settings:
    """What a worker needs to know of the run beside the cell."""

    seed: int | str
    archive: str | None
    time_limit: float
    memory_limit: int
    strict: bool = False
    worker: bool = False  # in a process that may be ended if a method cannot be stopped otherwise


class Stopwatch:
    """Seconds spent under each name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def time(self, what: str, work: Callable[[], T]) -> T:
        start = time.perf_counter()
        try:
            return work()
        finally:
            self.seconds[what] = self.seconds.get(what, 0.0) + time.perf_counter() - start


def run_cell(cell: Cell, settings: Settings) -> Row:
    """The row of one cell. Whatever a circuit, instrument or method raises becomes its error; nothing else does."""
    lab, watch = Lab(cell, settings), Stopwatch()
    question = get("questions", cell.method.question)()
    row, stage = _identity(cell, settings), "before the analysis"
    try:
        subject = lab.subject()
        activity = None if cell.active else watch.time("simulation", lab.activity)
        implant = lab.implant()
        recording = None if activity is None else watch.time("recording", lab.recording)
        truth = question.project(lab.truth(), implant.key)
        outcome, spent = lab.analyse(recording, truth, watch)
        stage = "scoring"
        row |= watch.time("scoring", lambda: _score(cell, question, outcome, truth))
    except (Exception, MemoryError) as error:
        if _is_fault_of_the_house(error):
            raise
        return row | _failure(f"{stage}: {type(error).__name__}: {error}") | _timings(watch)
    row |= {"n_units": implant.key.sizes["unit"], "n_neurons": subject.anatomy.sizes["neuron"], **spent}
    row["engine"] = lab.engine
    return row | _timings(watch) | {"peak_memory": outcome.peak_memory}


class Lab:
    """The bench of one cell: each part made once, from its own random stream."""

    def __init__(self, cell: Cell, settings: Settings) -> None:
        self.cell, self.settings = cell, settings
        self.archive = Archive(settings.archive)
        self.who = (value_hash(cell.circuit), cell.subject)
        self.plan = (cell.plan.trials, repr(cell.plan.duration))
        self.seen_by = value_hash(cell.instrument)
        self.made_by = (part_hash(cell.circuit), cell.subject, str(settings.seed))
        self.implanted = (*self.made_by, part_hash(cell.instrument), cell.candidates)
        self.engine = ""

    def rng(self, *role: str | int) -> np.random.Generator:
        return stream(self.settings.seed, *role, *self.who)

    def subject(self) -> Any:
        key = ("subject", *self.made_by)
        return _kept(key, lambda: self.cell.circuit.subject(self.rng("subject")))

    def truth(self) -> xr.Dataset:
        truth = self.subject().truth(self.cell.method.question)
        return truth.assign_attrs(candidates=self.cell.candidates)

    def session(self) -> Session:
        plan = self.cell.plan
        return self.subject().session(trials=plan.trials, duration=plan.duration, rng=self.rng("session", *self.plan))

    def activity(self) -> xr.Dataset:
        return self._simulate(self.session(), ("natural", *self.plan))

    def _simulate(self, session: Session, role: tuple[str | int, ...]) -> xr.Dataset:
        parts = [engine_hash(), *self.made_by, *role, session.to_dict()]
        key = fingerprint(parts)

        def simulate() -> xr.Dataset:
            activity = self.subject().run(session, self.rng("activity", *role))
            check_activity(activity)
            return activity

        activity = _kept(("activity", key), lambda: self.archive.fetch(key, simulate))
        self.engine = str(activity.attrs.get("engine", ""))
        return activity

    def implant(self) -> BlindImplant:
        key = ("implant", *self.implanted)

        def place() -> BlindImplant:
            implant = self.cell.instrument.implant(self.subject().anatomy, self.rng("implant", self.seen_by))
            return BlindImplant(implant, self.rng("order", self.seen_by), self.cell.candidates)

        return _kept(key, place)

    def recording(self) -> xr.Dataset:
        key = ("recording", *self.implanted, *self.plan)
        rng = self.rng("record", *self.plan, self.seen_by)
        return _kept(key, lambda: self.implant().record(self.activity(), rng))

    def analyse(
        self, recording: xr.Dataset | None, truth: xr.Dataset, watch: Stopwatch
    ) -> tuple[Outcome, dict[str, float]]:
        """The method's outcome, and what an active one spent of its budget."""
        cell = self.cell
        if isinstance(cell.method, Baseline):
            return self._baseline(cell.method, recording, truth), {}
        if recording is None:
            return self._investigate(watch)
        outcome = self._execute(recording.copy(deep=True))
        watch.seconds["analysis"] = outcome.seconds
        return outcome, {}

    def _execute(self, material: Any) -> Outcome:
        settings = self.settings
        entropy = digest_int(settings.seed, "method", self.cell.identity())
        return execute(
            self.cell.method,
            material,
            entropy=entropy,
            time_limit=settings.time_limit,
            memory_limit=settings.memory_limit,
            strict=settings.strict,
            last_resort=settings.worker,
        )

    def _investigate(self, watch: Stopwatch) -> tuple[Outcome, dict[str, float]]:
        implant, budget = self.implant(), self.cell.budget
        with mounted(self._bench(watch), implant.known(self.subject().anatomy), budget) as rig:
            outcome = self._execute(rig)
            spent = {f"spent_{name}": amount for name, amount in asdict(rig.spent).items()}
        watch.seconds["analysis"] = outcome.seconds
        return outcome, spent

    def _bench(self, watch: Stopwatch) -> Bench:
        """The lab's side of the rig: every session that is asked for has streams of its own, by its number."""
        cell, implant, asked = self.cell, self.implant(), [0, 0]
        visit = ("rig", cell.identity())
        actuator = cell.stimulator.install(
            self.subject().anatomy,
            implant.key,
            self.rng("stimulator", value_hash(cell.stimulator), self.seen_by),
        )

        def propose(trials: int, duration: float) -> Session:
            asked[0] += 1
            rng = self.rng("proposal", *visit, asked[0])
            return self.subject().session(trials=trials, duration=duration, rng=rng)

        def run(session: Session) -> xr.Dataset:
            asked[1] += 1
            role = (*visit, asked[1])
            with off_the_clock():
                activity = watch.time("simulation", lambda: self._simulate(session, role))
                return watch.time("recording", lambda: implant.record(activity, self.rng("record", *role)))

        return Bench(propose, run, actuator, implant.key.sizes["unit"])

    def _baseline(self, baseline: Baseline, recording: xr.Dataset | None, truth: xr.Dataset) -> Outcome:
        question = get("questions", baseline.question)()
        answer = question.baselines()[baseline.kind]
        rng = self.rng("baseline", baseline.kind, *self.plan, self.seen_by)
        return Outcome(answer(truth, recording, rng), "", "", over_budget=False, seconds=0.0, peak_memory=0)


class BlindImplant:
    """An implant as the method meets it: units in a random order, recordings stripped to their bare arrays."""

    def __init__(self, implant: Any, rng: np.random.Generator, candidates: tuple[str, ...]) -> None:
        self._implant, self._candidates = implant, candidates
        self._order = rng.permutation(implant.key.sizes["unit"])
        self.key = implant.key.isel(unit=self._order).assign_coords(unit=np.arange(len(self._order)))

    def record(self, activity: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
        recording = self._implant.record(activity, rng)
        if "neuron" in recording.sizes:
            raise SimlabError("a recording must not hold the dim `neuron`: name what the instrument saw by `unit`")
        return bare(recording.assign_attrs(candidates=self._candidates), self._order)

    def known(self, anatomy: xr.Dataset) -> xr.Dataset:
        """Each unit's position [m] as the implant states it (`units`), else that of the neurons in its key."""
        stated = getattr(self._implant, "units", None)
        if stated is not None:
            places = stated.isel(unit=self._order)
            return known_of_units(
                len(self._order), {str(k): v.values for k, v in places.data_vars.items()}, self._candidates
            )
        weights = self.key.values / np.maximum(self.key.values.sum(1, keepdims=True), 1e-12)
        positions = {f"unit_{axis}": weights @ anatomy[axis].values for axis in "xyz"}
        return known_of_units(len(self._order), positions, self._candidates)


def _score(cell: Cell, question: Any, outcome: Outcome, truth: xr.Dataset) -> Row:
    finding = outcome.finding
    if finding is None:
        status = {"status": "over_budget"} if outcome.over_budget else {}
        return _failure(outcome.error) | status
    chance = {"chance": json.dumps(_plain(question.chance(truth)))}
    if finding.abstained:
        return {"status": "abstained", "reason": finding.abstained, **chance}
    metrics = question.score(finding, truth)
    right = float(question.recovered(metrics)) if np.isfinite(metrics[question.headline]) else None
    fooled = float(question.false_recovery(finding, truth)) if cell.role == "rival" else None
    return {
        "status": "ok",
        "reason": "",
        "recovered": right,
        "false_recovery": fooled,
        "confidence": finding.confidence,
        "metrics": json.dumps(_plain(metrics)),
        "exhibit": _exhibit(finding, truth),
        **chance,
    }


def _exhibit(finding: Finding, truth: xr.Dataset) -> bytes | None:
    arrays = {name: np.asarray(values) for name, values in finding.estimate.items()}
    arrays |= {f"truth_{name}": variable.values for name, variable in truth.data_vars.items()}
    numeric = {name: values for name, values in arrays.items() if values.ndim and values.dtype.kind in "bif"}
    if not numeric or sum(values.size for values in numeric.values()) > EXHIBIT_ELEMENTS:
        return None
    small = {"f": np.float32, "i": np.int8, "b": np.bool_}
    return pack({name: values.astype(small[values.dtype.kind]) for name, values in numeric.items()})


def _identity(cell: Cell, settings: Settings) -> Row:
    baseline = isinstance(cell.method, Baseline)
    budget: Budget | None = cell.budget if cell.active else None
    return {
        "key": cell.key(settings.seed),
        "role": cell.role,
        "circuit": name_of(cell.circuit),
        "circuit_label": label(cell.circuit),
        "circuit_parameters": json.dumps(parameters(cell.circuit)),
        "subject": cell.subject,
        "trials": cell.plan.trials,
        "duration": cell.plan.duration,
        "instrument": name_of(cell.instrument),
        "instrument_label": label(cell.instrument),
        "instrument_parameters": json.dumps(parameters(cell.instrument)),
        "stimulator": name_of(cell.stimulator) if cell.active else "",
        "stimulator_label": label(cell.stimulator) if cell.active else "",
        "method": cell.method.name if baseline else name_of(cell.method),
        "method_label": cell.method.name if baseline else label(cell.method),
        "method_parameters": "{}" if baseline else json.dumps(parameters(cell.method)),
        "question": cell.method.question,
        "kind": "baseline" if baseline else "active" if cell.active else "passive",
        **({} if budget is None else {f"budget_{name}": amount for name, amount in asdict(budget).items()}),
        "versions": json.dumps(versions()),
        "seed": str(settings.seed),
    }


def failed_row(cell: Cell, settings: Settings, reason: str) -> Row:
    """The row of a cell that could not be run at all."""
    return _identity(cell, settings) | _failure(reason)


def _failure(reason: str) -> Row:
    return {"status": "error", "reason": reason}


def _timings(watch: Stopwatch) -> Row:
    return {f"seconds_{what}": spent for what, spent in watch.seconds.items()}


def _is_fault_of_the_house(error: BaseException) -> bool:
    """A full disk or a folder that cannot be written: no fact about the cell, so the run ends instead."""
    return isinstance(error, ArchiveError)


def _plain(metrics: dict[str, float]) -> dict[str, float | None]:
    return {name: float(value) if np.isfinite(value) else None for name, value in metrics.items()}


_memory: OrderedDict[tuple, Any] = OrderedDict()
KEPT = 12
"""Parts (subjects, implants, activities, recordings) that a worker keeps from one cell to the next."""


def _kept(key: tuple, make: Callable[[], T]) -> T:
    if key not in _memory:
        _memory[key] = make()
        while len(_memory) > KEPT:
            _memory.popitem(last=False)
    _memory.move_to_end(key)
    return _memory[key]
