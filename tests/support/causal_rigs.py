"""Rigs on real subjects, every unit seen and every perturbation exact: for methods that ask what does what."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from simlab.contracts import Budget, Finding
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.stimulating.ideal import Ideal
from simlab.lab.rig import Rig, Setup, known_of_units, mounted
from simlab.registry import question
from simlab.session import Session

AMPLE = Budget(5000, 5000.0, 50_000)


@dataclass
class World:
    """A subject at a rig: unit i is neuron i."""

    circuit: Any
    seed: int = 1
    budget: Budget = AMPLE
    sessions: list[Session] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.subject = self.circuit.subject(np.random.default_rng(self.seed))
        self.implant = Perfect().implant(self.subject.anatomy, np.random.default_rng(0))

    @contextmanager
    def rig(self, brief: dict[str, Any]) -> Iterator[Rig]:
        """The rig, until its method ends."""
        rng = np.random.default_rng(self.seed)
        actuator = Ideal().install(self.subject.anatomy, self.implant.key, rng)

        def propose(trials: int, duration: float) -> Session:
            return self.subject.session(trials=trials, duration=duration, rng=rng)

        def run(session: Session) -> Any:
            self.sessions.append(session)
            return self.implant.record(self.subject.run(session, rng), rng)

        n = self.implant.key.sizes["unit"]
        with mounted(Setup(propose, run, actuator, n), known_of_units(n, {}), self.budget, brief) as rig:
            yield rig

    def found(self, method: Any) -> Finding:
        """What a method finds here."""
        with self.rig(dict(question(method.question).brief((), self.truth(method.question)))) as rig:
            return method.investigate(rig, np.random.default_rng(self.seed))

    def truth(self, asked: str) -> Any:
        """The true answer over neurons."""
        return self.subject.truth(asked, None, np.random.default_rng(0))

    def scored(self, method: Any) -> dict[str, float]:
        """The metrics of what it finds."""
        asked = question(method.question)
        return asked.score(self.found(method), asked.project(self.truth(method.question), self.implant.key))

    def recording(self, trials: int, duration: float = 0.1) -> Any:
        """The natural task, seen."""
        rng = np.random.default_rng(self.seed)
        session = self.subject.session(trials=trials, duration=duration, rng=rng)
        return self.implant.record(self.subject.run(session, rng), rng)
