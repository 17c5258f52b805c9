"""The contracts of the house: what a circuit, an instrument, a method and a question are.

Nobody inherits from these. A frozen dataclass with the right methods is a plug-in; `name` is what the
command line, the ledger and the report call it. Arrays are labelled xarray objects of the closed
vocabulary in `simlab.data`; SI units throughout.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr

    from simlab.session import NeuronPerturbation, Perturbation, Session


class SimlabError(Exception):
    """What a user did wrong: the rule, the value received and the fix."""


class BudgetExceeded(SimlabError):
    """An active method asked its rig for more than its budget; recorded as spent, not as a crash."""


@dataclass(frozen=True)
class Finding:
    """What a method found: its estimate, how sure it is, or why it abstains.

    `estimate` maps the variables of the question's answer form (`Question.form`) to arrays, in the order
    of the form's dims; for `connectivity` these are `score`, `decided` and `sign`, each (pre, post).
    `confidence` is the probability, in [0, 1], that the method gives its own answer; None if it states none.
    """

    estimate: Mapping[str, Any] = field(default_factory=dict)
    confidence: float | None = None
    abstained: str = ""
    notes: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def abstain(cls, reason: str) -> Finding:
        """An honest refusal: neither right nor wrong, counted apart."""
        return cls(abstained=reason)


@dataclass(frozen=True)
class Budget:
    """What an active method may spend: trials, seconds of recording, perturbations (one per trial and pulse)."""

    trials: float = float("inf")
    seconds: float = float("inf")
    perturbations: float = float("inf")


@runtime_checkable
class Subject(Protocol):
    """One individual of a circuit: its own wiring, drawn by a seed; owns the truth."""

    @property
    def anatomy(self) -> xr.Dataset:
        """Over neuron: x, y, z [m], cell_type, region: what one may aim at."""

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """The natural task of this circuit; duration [s] of each trial."""

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """All trials at once, batched; returns an Activity. Perturbations are per neuron."""

    def truth(self, question: str) -> xr.Dataset:
        """The exact answer, over neurons; a LookupError lists the questions that it can answer."""


@runtime_checkable
class Circuit(Protocol):
    """A species: a frozen dataclass whose fields are the parameters of one known mechanism."""

    name: ClassVar[str]
    rivals: ClassVar[tuple[str, ...]]  # registry names of circuits that look alike but lack the mechanism
    questions: ClassVar[tuple[str, ...]]  # those that its subjects' `truth` answers

    def subject(self, rng: np.random.Generator) -> Subject: ...


class Implant(Protocol):
    """An instrument placed in one subject: it fixes which neurons it sees, for all its sessions."""

    @property
    def key(self) -> xr.DataArray:
        """(unit, neuron): the share of the unit's signal that comes from the neuron; rows sum to <= 1."""

    def record(self, activity: xr.Dataset, rng: np.random.Generator) -> xr.Dataset: ...


@runtime_checkable
class Instrument(Protocol):
    name: ClassVar[str]

    def implant(self, anatomy: xr.Dataset, rng: np.random.Generator) -> Implant: ...


class Actuator(Protocol):
    """A stimulator placed in one subject beside an implant."""

    def aim(self, perturbation: Perturbation) -> NeuronPerturbation:
        """Turns what was aimed at units into a strength per neuron."""


@runtime_checkable
class Stimulator(Protocol):
    name: ClassVar[str]

    def install(self, anatomy: xr.Dataset, key: xr.DataArray, rng: np.random.Generator) -> Actuator: ...


class Rig(Protocol):
    """Subject, implant and budget behind one call; see `simlab.lab.rig`."""

    units: xr.Dataset  # over unit: what the experimenter knows of each: unit_x, unit_y, unit_z [m]
    remaining: Budget

    def session(self, *, trials: int, duration: float) -> Session: ...
    def record(self, session: Session) -> xr.Dataset: ...


@runtime_checkable
class Method(Protocol):
    """A passive analysis: a recording in, a finding out."""

    name: ClassVar[str]
    question: ClassVar[str]

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding: ...


@runtime_checkable
class ActiveMethod(Protocol):
    """An analysis that experiments: it asks a rig for the sessions that it wants."""

    name: ClassVar[str]
    question: ClassVar[str]

    def investigate(self, rig: Rig, rng: np.random.Generator) -> Finding: ...


class Question(Protocol):
    """What is asked of a mechanism, and how an answer is scored. One file each in `simlab.questions`."""

    name: ClassVar[str]
    form: ClassVar[Mapping[str, tuple[str, ...]]]  # variable of the finding's estimate -> its dims
    metrics: ClassVar[tuple[str, ...]]  # what `score` returns, besides `recovered`
    headline: ClassVar[str]  # the metric that a leaderboard shows

    def project(self, truth: xr.Dataset, key: xr.DataArray) -> xr.Dataset: ...
    def score(self, finding: Finding, truth: xr.Dataset) -> dict[str, float]: ...
    def recovered(self, metrics: Mapping[str, float]) -> bool: ...
    def false_recovery(self, finding: Finding, truth: xr.Dataset) -> bool: ...
    def chance(self, truth: xr.Dataset) -> dict[str, float]: ...
    def baselines(self) -> Mapping[str, Any]:
        """`oracle`, `random` and `marginals_only`: name -> callable(truth, recording, rng) -> Finding."""
