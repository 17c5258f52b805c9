"""The parts of one cell, each made once, from its own random stream.

Streams are named by the run's seed, a role, registry names and the subject's number alone: whatever an edit moves or a
sweep changes, the same individuals are met, so that the values of a sweep are compared on the same animals.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property, partial
from typing import Any, TypeVar

import numpy as np
import xarray as xr

from simlab.candidates import Model, responses
from simlab.data import check_activity, is_spiking, mean_rates
from simlab.execution.bounded import bounded
from simlab.experiment import Cell, question_hash
from simlab.families import Member, member
from simlab.fingerprint import fingerprint, parameters, part_hash
from simlab.instruments.placement import weighted_by_rates
from simlab.lab.blinding import BlindImplant
from simlab.lab.memory import kept
from simlab.lab.regions import drawn
from simlab.lab.row import Settings
from simlab.naming import name_of
from simlab.pairing import shown_to
from simlab.questions.form import check_truth
from simlab.regimes import departures
from simlab.scoring import Truth, told
from simlab.session import Effect, Session
from simlab.simulators.engines import using
from simlab.sources import libraries
from simlab.store.archive import Archive
from simlab.streams import digest_int, stream
from simlab.truths import answer

T = TypeVar("T")


class Stopwatch:
    """Seconds spent under each name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def time(self, what: str, work: Callable[[], T]) -> T:
        """What `work` returns; its wall time is added up."""
        start = time.perf_counter()
        try:
            return work()
        finally:
            self.seconds[what] = self.seconds.get(what, 0.0) + time.perf_counter() - start


def contents(session: Session) -> dict[str, Any]:
    """All that is in a session, to be hashed: numbers in arrays stay there, as a million take seconds as lists."""
    shown = session.stimulus
    rest = replace(session, stimulus=None, perturbations=()).to_dict()
    rest["stimulus"] = None if shown is None else [shown.features, shown.interval, shown.values]
    rest["perturbations"] = [
        [p.kind, p.over, p.start, p.stop, p.trials, p.values] if isinstance(p, Effect) else p.to_dict()
        for p in session.perturbations
    ]
    return rest


class Lab:
    """Subject, session, activity, implant, recording and truth of one cell."""

    def __init__(self, cell: Cell, settings: Settings) -> None:
        self.cell, self.settings = cell, settings
        self.archive = Archive(settings.archive)
        self.plan = (cell.plan.trials, repr(cell.plan.duration))
        self.through = name_of(cell.instrument)
        self.reference = (settings.engine,) if settings.engine.startswith("brian2") else ()
        self.engine = ""

    def rng(self, *role: str | int) -> np.random.Generator:
        """The stream of a role that this cell's individual plays."""
        return self._rng_of(self.cell.circuit, *role)

    def _rng_of(self, circuit: Any, *role: str | int) -> np.random.Generator:
        return stream(self.settings.seed, *role, name_of(circuit), self.cell.subject)

    @cached_property
    def member(self) -> Member:
        """The circuit whose subject this is: of a family its own, drawn from the prior of what the grid names."""
        cell = self.cell
        if not cell.drawn:
            return Member(cell.circuit)
        model = cell.circuit if cell.twin is None else cell.twin
        rng = partial(self._rng_of, model)
        name = ("member", part_hash(model), cell.subject, str(self.settings.seed), *self.reference)
        found = kept(name, lambda: self.bounded("drawing the parameters of a circuit", lambda: member(model, rng)))
        return found if cell.twin is None else replace(found, circuit=cell.circuit.imitating(found.circuit))

    @cached_property
    def made_by(self) -> tuple:
        """What decides an individual."""
        return (part_hash(self.member.circuit), self.cell.subject, str(self.settings.seed))

    @cached_property
    def implanted(self) -> tuple:
        """What decides an individual with its implant."""
        return (*self.made_by, part_hash(self.cell.instrument))

    def entropy(self) -> int:
        """What seeds the method's generator."""
        method, circuit = name_of(self.cell.method), name_of(self.cell.circuit)
        return digest_int(self.settings.seed, "method", method, self.through, circuit, self.cell.subject)

    def subject(self) -> Any:
        """The individual."""

        def draw() -> Any:
            return self.bounded("drawing a subject", lambda: self.member.circuit.subject(self.rng("subject")))

        return kept(("subject", *self.made_by), draw)

    @cached_property
    def regions(self) -> tuple[str, ...]:
        """The names of the subject's regions by the codes that methods know, the same whatever it is recorded with."""
        return drawn(self.subject().anatomy, self.rng("regions"))

    def session(self) -> Session:
        """The natural task, as long as the plan says."""
        plan, propose, rng = self.cell.plan, self.subject().session, self.rng("session")
        return self.bounded("a session", lambda: propose(trials=plan.trials, duration=plan.duration, rng=rng))

    def activity(self) -> xr.Dataset:
        """What every neuron did in the natural task."""
        return self.simulate(self.session(), ("activity",))

    def simulate(self, session: Session, role: tuple[str | int, ...]) -> xr.Dataset:
        """The activity of a session, from memory or the archive where it has been simulated before."""
        parts = ["activity", *self.made_by, libraries(None), *self.reference, *role, contents(session)]
        name = fingerprint(parts)

        def run() -> xr.Dataset:
            subject = self.subject()
            activity = self.bounded("the simulation of a session", lambda: subject.run(session, self.rng(*role)))
            check_activity(activity)
            return activity

        activity = kept(("activity", name), lambda: self.archive.fetch(name, run))
        self.engine = str(activity.attrs.get("engine", ""))
        return activity

    def described(self, activity: xr.Dataset | None) -> dict[str, Any]:
        """What a row says of the circuit that ran: its drawn parameters, and what of its activity is implausible."""
        found = self.member
        named: dict[str, Any] = {}
        if found.drawn is not None:
            named = {"drawn": json.dumps(parameters(found.drawn)), "rejected": found.rejected}
        regime = getattr(found.circuit, "regime", None)
        if activity is None or regime is None:
            return named
        name = ("regime", *self.made_by, *self.plan)
        return named | {"outside_regime": "; ".join(kept(name, lambda: departures(activity, regime)))}

    def placed(self) -> Any:
        """The instrument in this subject, as it is before any session."""

        def place() -> Any:
            anatomy = shown_to(self.cell.instrument, self.subject().anatomy)
            rng = self.rng("implant", self.through)
            return self.bounded("implanting", lambda: self.cell.instrument.implant(anatomy, rng))

        return kept(("placed", *self.implanted), place)

    def implant(self) -> BlindImplant:
        """The implant, settled on the session that is analysed where it depends on one, its units renumbered."""

        def settle() -> BlindImplant:
            implant = self.placed()
            if session:
                activity = self.activity()
                implant = self.bounded("settling an implant", lambda: implant.settled(activity))
            return BlindImplant(implant, self.rng("order", self.through), self.subject().anatomy, self.regions)

        session = () if self.cell.active or not hasattr(self.placed(), "settled") else self.plan
        return kept(("implant", *self.implanted, *session), settle)

    def recording(self) -> xr.Dataset:
        """What the implant saw of the natural task; without a brief."""
        rng = self.rng("record", self.through)
        name = ("recording", *self.implanted, *self.plan)
        return kept(name, lambda: self.record(self.activity(), rng))

    def record(self, activity: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
        """What the implant sees of an activity; without a brief."""
        implant = self.implant()
        return self.bounded("the recording of a session", lambda: implant.record(activity, rng))

    def models_in(self, session: Session) -> dict[str, Any]:
        """What the question's candidate models do in a session, undisturbed: variables of a Recording; none without."""
        models = getattr(self.cell.asked, "models", ())
        if not models:
            return {}
        session, asked, seed = replace(session, perturbations=()), self.cell.asked, str(self.settings.seed)
        name = ("models", question_hash(asked), fingerprint(contents(session)), seed)

        def individual(model: Model, number: int) -> Any:
            made, rng = model.circuit.subject, stream(seed, "model", name_of(model.circuit), number)
            return kept(("model", part_hash(model.circuit), number, seed), lambda: made(rng))

        def respond() -> dict[str, Any]:
            listed, rng = dict(enumerate(asked.candidates())), stream(seed, "models")
            return responses(listed, individual, session, rng, asked.step)

        return kept(name, lambda: self.bounded("what candidate models do", respond))

    @cached_property
    def truth(self) -> Truth:
        """The truth over neurons, and the key that it is projected through, weighted by the neurons' true rates."""
        asked, activity = self.cell.asked, None if self.cell.active else self.activity()
        neurons = self._true_answer(activity)
        key = self.implant().key
        if activity is not None and is_spiking(activity):
            key = weighted_by_rates(key, mean_rates(activity))
        return Truth(neurons, key, told(asked, self.cell.family, neurons, key.sizes["unit"]))

    def _true_answer(self, activity: xr.Dataset | None) -> xr.Dataset:
        asked = self.cell.asked
        plan = () if activity is None else self.plan
        name = ("truth", *self.made_by, asked.name, *plan)

        def find() -> xr.Dataset:
            subject, rng = self.subject(), self.rng("truth", asked.name)
            find_out = partial(answer, self.member.circuit, subject, asked.name, activity, rng)
            found = self.bounded("finding the truth", find_out)
            check_truth(found, asked)
            return found

        stored = fingerprint([*name, libraries(None), *self.reference])
        return kept(name, lambda: self.archive.fetch(stored, find, least_seconds=1.0))

    def bounded(self, what: str, work: Callable[[], T]) -> T:
        """What `work` of the circuit or the instrument returns, within the experiment's limit on simulations."""
        settings = self.settings
        with using(settings.engine):
            return bounded(what, work, settings.simulation_limit, last_resort=settings.worker)
