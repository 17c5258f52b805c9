"""The contracts of the house: what a circuit, an instrument, a method and a question are.

Nobody inherits from these. A frozen dataclass with the right methods is a plug-in; `name` is what the
command line, the ledger and the report call it. Arrays are labelled xarray objects of the closed
vocabulary in `simlab.data`; SI units throughout.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Protocol, runtime_checkable

from simlab.errors import BudgetExceeded as BudgetExceeded
from simlab.errors import HouseFault as HouseFault
from simlab.errors import SimlabError as SimlabError
from simlab.rules import Within, check_fields

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr

    from simlab.session import Effect, Perturbation, Session


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


CONNECTOME = "connectome"
"""The modality of a recording that holds `contacts`, and of a circuit whose anatomy states them."""

Allowance = Annotated[float, Within(0, float("inf"))]
"""An amount that may be spent; infinity is no limit."""


@dataclass(frozen=True)
class Budget:
    """What an active method may spend.

    trials; seconds of recording; perturbations: one per trial and pulse; interventions: different things done. What is
    done on one trial is one intervention, whatever its window, and costs nothing when it is done again.
    """

    trials: Allowance = float("inf")
    seconds: Allowance = float("inf")
    perturbations: Allowance = float("inf")
    interventions: Allowance = float("inf")

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True)
class Variable:
    """One variable of an answer or a truth.

    kind: `number`, `whole` (number), `flag` (True or False) or `label` (text). dims: those of a recording (`unit`,
    `pre`, `post`, `trial`, `time`, `sample`) have its length; a dim whose members the brief lists under its plural
    (`candidate`: `candidates`) has that many; any other takes its length from the answer and must agree within it.
    choices: the values allowed, or the name of the brief's entry that lists them. low, high: bounds, ends included.
    """

    dims: tuple[str, ...] = ()
    kind: str = "number"
    optional: bool = False
    choices: tuple[Any, ...] | str = ()
    low: float = float("-inf")
    high: float = float("inf")


@dataclass(frozen=True)
class Picture:
    """How the report shows answers beside the truth: one of its drawings, and the variables that it draws.

    kind: `matrix` (pre, post), `confusion` (labels, over cells or units), `scatter` (numbers, over cells or units),
    `filters` (unit, ...), `traces` (trial, time, factor) or `partition` (labels of units). marked: a flag of the
    answer that the drawing emphasises, such as the decided edges; held_against: the flag of the projected truth that
    it should equal (without one: where the truth is not zero); left_out: a flag of it that marks what is not asked.
    """

    kind: str
    answer: str
    truth: str
    marked: str = ""
    held_against: str = ""
    left_out: str = ""


@dataclass(frozen=True)
class Needs:
    """What a method cannot do without; where it is missing the lab abstains for it.

    modalities: any one of them will do (`spikes`, a signal's: `rate`, `fluorescence` ..., `connectome`); none: whatever
    activity there is.
    units, trials: at least so many. seconds: of recording in all. outcome: how well each trial went. equal_trials: all
    of one length. models: what candidate models do when they are shown the same.
    """

    modalities: tuple[str, ...] = ()
    units: int = 1
    trials: int = 1
    seconds: float = 0.0
    stimulus: bool = False
    conditions: bool = False
    behaviour: bool = False
    outcome: bool = False
    equal_trials: bool = True
    models: bool = False


Band = tuple[float, float]
"""Lowest and highest, both allowed."""


@dataclass(frozen=True)
class Regime:
    """Published ranges of what a circuit's spikes look like; outside of them it is another kind of network.

    rate [Hz], interval_cv, fano (of counts in `window` [s]) and correlation (of those counts, over pairs) are means
    over the neurons that fire; silent is the share of neurons without a spike in the `seconds` that are looked at.
    source: where the ranges are from.
    """

    source: str
    rate: Band = (0.0, float("inf"))
    silent: Band = (0.0, 1.0)
    interval_cv: Band = (0.0, float("inf"))
    fano: Band = (0.0, float("inf"))
    correlation: Band = (-1.0, 1.0)
    window: float = 0.1
    seconds: float = 10.0


@runtime_checkable
class Subject(Protocol):
    """One individual of a circuit: its own wiring, drawn by a seed; owns the truth."""

    @property
    def anatomy(self) -> xr.Dataset:
        """Over neuron: x, y, z [m], cell_type, region: what one may aim at."""

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """The natural task of this circuit; duration [s] of each trial."""

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """All trials at once, batched; returns an Activity. Perturbations are effects on neurons."""

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """The exact answer, over neurons; a LookupError lists the questions that it can answer.

        activity: what the subject did in the session that was recorded, for truths such as latents; None where a
        method experiments. rng: for truths that cost simulation.
        """


@runtime_checkable
class Circuit(Protocol):
    """A species: a frozen dataclass whose fields are the parameters of one known mechanism.

    A rival states the circuits that it imitates in `twin_of`, and `imitating(circuit)` returns a copy of it that is
    matched to a given circuit value (its size, rates, correlations). `modalities`, a tuple, may say what its activity
    holds (`spikes`, `rate`), and `connectome` where its anatomy states the contacts among its neurons: instruments that
    need another are then refused before anything is simulated. `regime`, a `Regime`, says what its spikes should look
    like: activity outside is reported as such. `prior(rng)` may return a copy with parameters drawn from published
    ranges, for verdicts over families of circuits (`Grid.drawn`).
    """

    name: ClassVar[str]
    mechanism: ClassVar[str]  # the class of explanation that a method may name; never the circuit's name
    questions: ClassVar[tuple[str, ...]]  # those that its subjects' `truth` answers

    def subject(self, rng: np.random.Generator) -> Subject: ...


class Implant(Protocol):
    """An instrument placed in one subject: it fixes which neurons it sees, for all its sessions.

    Where what it sees depends on a session (which units fire enough to be found, how far the tissue drifted), it may
    have `settled(activity)`, which returns the implant as it is for that one: the lab settles it on the session that a
    passive method analyses. At the rig of an active method it stays as it was placed.
    """

    @property
    def key(self) -> xr.DataArray:
        """(unit, neuron): the share of the unit's signal that comes from the neuron; rows sum to <= 1."""

    def record(self, activity: xr.Dataset, rng: np.random.Generator) -> xr.Dataset: ...


@runtime_checkable
class Instrument(Protocol):
    """What can be measured: it is placed in a subject as an implant.

    `needs`, a `Needs`, may say in its modalities what the activity must hold any one of. One that needs a `connectome`
    is shown the contacts among neurons in the anatomy; no other is.
    """

    name: ClassVar[str]

    def implant(self, anatomy: xr.Dataset, rng: np.random.Generator) -> Implant: ...


class Actuator(Protocol):
    """A stimulator placed in one subject beside an implant.

    `by_trial`, True, may ask that a perturbation of all trials comes with their numbers, as some may fail.
    """

    def aim(self, perturbation: Perturbation) -> tuple[Effect, ...]:
        """Turns what was aimed at units into what reaches neurons."""


@runtime_checkable
class Stimulator(Protocol):
    """What can be done to a subject: it is placed beside an implant as an actuator."""

    name: ClassVar[str]

    def install(self, anatomy: xr.Dataset, key: xr.DataArray, rng: np.random.Generator) -> Actuator: ...


class Rig(Protocol):
    """Subject, implant and budget behind one call; see `simlab.lab.rig`."""

    units: xr.Dataset  # over unit: what the experimenter knows of each: unit_x, unit_y, unit_z [m], unit_region
    brief: Mapping[str, Any]  # what the question tells the method
    remaining: Budget

    def session(self, *, trials: int, duration: float) -> Session: ...
    def record(self, session: Session) -> xr.Dataset: ...
    def foretell(self, session: Session) -> xr.Dataset: ...


@runtime_checkable
class Method(Protocol):
    """A passive analysis: a recording in, a finding out."""

    name: ClassVar[str]
    question: ClassVar[str]
    family: ClassVar[str]  # kind of analysis: "cross-correlation", "regression" ...
    library: ClassVar[str]  # the package whose implementation runs; "own" where none is well kept
    needs: ClassVar[Needs]

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding: ...


@runtime_checkable
class ActiveMethod(Protocol):
    """An analysis that experiments: it asks a rig for the sessions that it wants."""

    name: ClassVar[str]
    question: ClassVar[str]
    family: ClassVar[str]
    library: ClassVar[str]
    needs: ClassVar[Needs]

    def investigate(self, rig: Rig, rng: np.random.Generator) -> Finding: ...


class Question(Protocol):
    """What is asked of a mechanism, and how an answer is scored; its file is the only place that knows its variables.

    `metrics`: what `score` returns; `headline`: the one that a leaderboard shows. The criteria of `recovered` are
    fields. Where the headline is undefined there was nothing to recover, unless `decisive` names another metric for
    that. `error_metric` may name the one that holds the false share of what was decided, which methods with an
    `alpha` promise to keep below it: reports draw it against the minutes recorded.
    `brief_of_units(n_units)` may return more for the brief, about the recorded units; an entry `interventions`
    there, tuples of units, is what no rig does, since it is to be predicted (`simlab.lab.held_out`).
    `models` and `step` may name candidates whose responses the lab puts beside every recording (`simlab.candidates`).
    """

    name: ClassVar[str]
    form: ClassVar[Mapping[str, Variable]]  # of the finding's estimate
    truth_form: ClassVar[Mapping[str, Variable]]  # of what a subject's `truth` returns
    metrics: ClassVar[tuple[str, ...]]
    headline: ClassVar[str]
    picture: ClassVar[Picture | None]

    def brief(self, family: tuple[str, ...], truth: xr.Dataset) -> Mapping[str, Any]:
        """What the method is told besides its recording, as plain data; family: mechanisms of circuit and rivals."""

    def project(self, truth: xr.Dataset, key: xr.DataArray) -> xr.Dataset: ...
    def score(self, finding: Finding, truth: xr.Dataset) -> dict[str, float]: ...
    def recovered(self, metrics: Mapping[str, float]) -> bool: ...
    def false_recovery(self, finding: Finding, truth: xr.Dataset) -> bool: ...
    def chance(self, truth: xr.Dataset) -> dict[str, float]: ...
    def baselines(self) -> Mapping[str, Any]:
        """`oracle`, `random` and `marginals_only`: name -> callable(truth, recording, rng) -> Finding."""
