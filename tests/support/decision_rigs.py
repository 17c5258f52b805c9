"""Rigs and recordings of the decision circuits, for tests of methods: a subject, some neurons, ideal pulses."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import xarray as xr

from simlab.contracts import Budget, BudgetExceeded
from simlab.instruments.recording.subsample import Subsample
from simlab.instruments.stimulating.ideal import Ideal
from simlab.session import Session
from simlab.streams import stream

CANDIDATES = ("attractor decision", "ramping", "stepping")
REGIMES = ("fixed point", "bistable", "line attractor", "driven")


def recorded(circuit, seed: int, n_units: int, trials: int = 100, duration: float = 1.0) -> xr.Dataset:
    """A recording of the natural task, with the mechanisms as candidates."""
    rig = DecisionRig(circuit, seed, n_units)
    return rig.record(rig.session(trials=trials, duration=duration)).assign_attrs(brief=dict(rig.brief))


@dataclass
class DecisionRig:
    """A rig at one subject of a circuit."""

    circuit: object
    seed: int = 0
    n_units: int = 40
    remaining: Budget = field(default_factory=lambda: Budget(120, 120.0, 120))
    brief: dict = field(default_factory=lambda: {"candidates": CANDIDATES})

    def __post_init__(self) -> None:
        self.subject = self.circuit.subject(stream(self.seed, "subject"))
        self.implant = Subsample(n_units=self.n_units).implant(self.subject.anatomy, stream(self.seed, "implant"))
        self.actuator = Ideal().install(self.subject.anatomy, self.implant.key, stream(self.seed, "stimulator"))
        self.units = xr.Dataset(coords={"unit": np.arange(self.n_units)})
        self.sessions = 0

    def session(self, *, trials: int, duration: float) -> Session:
        return self.subject.session(trials=trials, duration=duration, rng=stream(self.seed, "session", self.sessions))

    def record(self, session: Session) -> xr.Dataset:
        self.sessions += 1
        self._spend({"trials": session.trials, "seconds": session.trials * session.duration,
                     "perturbations": session.n_perturbed_trials()})  # fmt: skip
        effects = [effect for pulse in session.perturbations for effect in self.actuator.aim(pulse)]
        activity = self.subject.run(
            replace(session, perturbations=tuple(effects)), stream(self.seed, "run", self.sessions)
        )
        return self.implant.record(activity, stream(self.seed, "record", self.sessions))

    def _spend(self, cost: dict[str, float]) -> None:
        for name, amount in cost.items():
            left = getattr(self.remaining, name)
            if amount > left * (1 + 1e-9):
                raise BudgetExceeded(f"asked for {amount:g} {name} of {left:g}")
            self.remaining = replace(self.remaining, **{name: max(left - amount, 0)})
