"""The method at work: on a blinded recording, or at a rig that runs the sessions that it asks for."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Any

import xarray as xr

from simlab.contracts import Finding, Needs, SimlabError
from simlab.data import RECORDING, missing
from simlab.data import recording as recording_of
from simlab.errors import HouseFault
from simlab.execution.execute import execute
from simlab.execution.limits import off_the_clock
from simlab.execution.outcome import Outcome
from simlab.execution.state import at_work
from simlab.execution.trust import sealed
from simlab.experiment import Baseline
from simlab.lab.laboratory import Lab, Stopwatch
from simlab.lab.rig import Setup, mounted
from simlab.naming import name_of
from simlab.pairing import shown_to
from simlab.rules import require
from simlab.scoring import Truth
from simlab.session import Session


def analyse(lab: Lab, recording: xr.Dataset | None, truth: Truth, watch: Stopwatch) -> tuple[Outcome, dict[str, float]]:
    """The method's outcome, and what an active one spent of its budget.

    recording: without a brief, which is put in here; None where the method experiments.
    """
    method = lab.cell.method
    if isinstance(method, Baseline):
        return _baseline(lab, method, recording, truth), {}
    if recording is None:
        return _investigate(lab, truth, watch)
    told = beside(recording.copy(deep=True), lab.models_in(lab.session()))
    if truth.brief:
        told.attrs["brief"] = dict(truth.brief)
    if reason := missing(told, getattr(method, "needs", Needs())):
        return _answered(Finding.abstain(reason)), {}
    outcome = _execute(lab, told)
    watch.seconds["analysis"] = outcome.seconds
    return outcome, {}


def _execute(lab: Lab, material: Any) -> Outcome:
    settings = lab.settings
    outcome = execute(
        lab.cell.method,
        material,
        question=lab.cell.asked,
        entropy=lab.entropy(),
        time_limit=settings.time_limit,
        memory_limit=settings.memory_limit,
        strict=sealed(lab.cell.method, settings.strict, settings.elsewhere),
        last_resort=settings.worker,
    )
    if outcome.printed and not settings.elsewhere:
        print(outcome.printed, end="", file=sys.stderr)
    return outcome


def _answered(finding: Finding) -> Outcome:
    return Outcome(finding, "", "", over_budget=False, seconds=0.0, peak_memory=0)


def _baseline(lab: Lab, baseline: Baseline, recording: xr.Dataset | None, truth: Truth) -> Outcome:
    answer = lab.cell.asked.baselines()[baseline.kind]
    rng = lab.rng("baseline", baseline.question, baseline.kind, lab.through)
    return _answered(answer(truth.projected(lab.cell.asked), recording, rng))


def _investigate(lab: Lab, truth: Truth, watch: Stopwatch) -> tuple[Outcome, dict[str, float]]:
    known = lab.implant().known(lab.subject().anatomy)
    faults: list[Exception] = []
    with mounted(_setup(lab, watch, faults), known, lab.cell.budget, dict(truth.brief)) as rig:
        outcome = _execute(lab, rig)
        if faults:  # whatever the method has made of it
            raise faults[0]
        spent = {f"spent_{name}": amount for name, amount in asdict(rig.spent).items()}
    watch.seconds["analysis"] = outcome.seconds
    return outcome, spent


def _setup(lab: Lab, watch: Stopwatch, faults: list[Exception]) -> Setup:
    """The lab's side of the rig; `faults` takes what goes wrong there and is no mistake in the method's request.

    The sessions that are asked for have streams by their number alone, so that variants of a method that ask for the
    same session meet the same activity, and it is simulated once.
    """
    implant, asked = lab.implant(), [0, 0]
    stimulator = lab.cell.stimulator
    require(
        stimulator is not None,
        f"a method that experiments, as {name_of(lab.cell.method)} does, needs a stimulator, and its cell has none: "
        "give Cell one (stimulator=Ideal()), or let a grid make the cells, which takes the ideal one by itself",
    )
    rng = lab.rng("stimulator", name_of(stimulator), lab.through)
    actuator = stimulator.install(shown_to(stimulator, lab.subject().anatomy), implant.key, rng)

    def propose(trials: int, duration: float) -> Session:
        asked[0] += 1
        with at_work():
            return lab.subject().session(trials=trials, duration=duration, rng=lab.rng("proposal", asked[0]))

    def run(session: Session) -> xr.Dataset:
        asked[1] += 1
        number = asked[1]
        with off_the_clock(), at_work():
            try:
                activity = watch.time("simulation", lambda: lab.simulate(session, ("rig", number)))
                rng = lab.rng("rig record", number, lab.through)
                recorded = watch.time("recording", lambda: lab.record(activity, rng))
                return beside(recorded, lab.models_in(session))
            except Exception as fault:
                if isinstance(fault, HouseFault) or not isinstance(fault, SimlabError):
                    faults.append(fault)
                raise

    def foretell(session: Session) -> xr.Dataset:
        with off_the_clock(), at_work():
            found = lab.models_in(session)
        return recording_of(duration=session.duration, n_units=0, n_trials=session.trials, **found)

    models = foretell if getattr(lab.cell.asked, "models", ()) else None
    return Setup(propose, run, actuator, implant.key.sizes["unit"], lab.regions, models)


def beside(recorded: xr.Dataset, models: dict[str, Any]) -> xr.Dataset:
    """The recording with what candidate models did in its session."""
    return recorded.assign({name: (RECORDING[name], values.copy()) for name, values in models.items()})
