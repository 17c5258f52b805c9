"""Experiments: frozen grids of circuits, plans, instruments and methods, and the claims they must bear out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from itertools import product
from typing import TYPE_CHECKING, Annotated, Any

from simlab.contracts import Budget, Circuit, Instrument, Stimulator
from simlab.families import check_family
from simlab.fingerprint import describe, fingerprint, label, value_hash
from simlab.naming import name_of
from simlab.pairing import check_pair
from simlab.parts import PARTS, check_distinct, made, members
from simlab.registry import create, names, question
from simlab.rules import Spelled, Within, check_fields, require
from simlab.sources import code_hash, libraries
from simlab.truths import answerable

if TYPE_CHECKING:
    from simlab.claims import Claim

BASELINES = ("oracle", "random", "marginals_only")

SPENT = ("perturbations", "interventions")
"""What a grid may sweep of the budget of active methods, beside the plan."""


Name = Annotated[str, Spelled(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}", "of letters, digits, _, - and .")]
"""Names a run folder."""

Trials = Annotated[int, Within(1, 1_000_000)]
Seconds = Annotated[float, Within(1e-3, 1e5, "s")]
Subjects = Annotated[int, Within(1, 100_000)]
Seed = int | Annotated[str, Spelled(r"\S(.*\S)?", "that is not empty")]
Spendable = Annotated[int, Within(0, 1_000_000)]
LONGEST = 3e6
"""Seconds that a plan may record, a month: more than any chronic recording of one subject in one go."""


@dataclass(frozen=True)
class Plan:
    """How much is recorded: trials of `duration` [s] each of the circuit's natural task.

    A passive method gets a recording of that session; an active one a rig with that many trials and seconds and,
    unless the grid says otherwise, as many perturbed trials.
    """

    trials: Trials
    duration: Seconds

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            self.trials * self.duration <= LONGEST,
            f"trials x duration must be <= {LONGEST:g} s, got {self.trials} x {self.duration} s: plan fewer or shorter",
        )

    def budget(self, perturbations: float | None = None, interventions: float | None = None) -> Budget:
        """The budget that buys this plan's amount of data; interventions: how many different ones, None for any."""
        limit = self.trials if perturbations is None else perturbations
        different = float("inf") if interventions is None else interventions
        return Budget(self.trials, self.trials * self.duration, limit, different)


@dataclass(frozen=True)
class Baseline:
    """A stand-in for a method that may see the truth: `oracle`, `random` or `marginals_only` of a question."""

    question: str
    kind: str

    @property
    def name(self) -> str:
        """As the ledger calls it."""
        return f"baseline:{self.kind}"


@dataclass(frozen=True)
class Grid:
    """A block of cells: every circuit and rival, under every plan, instrument and method that fit together.

    Circuits, rivals, instruments and methods are values or registered names. Each rival is made to imitate each of
    the circuits that its `twin_of` names, so that size, rates and correlations match the circuit that it is held
    against. A method meets only circuits whose truth answers its question; one that meets none is an error.
    `ceiling`: a plan of ample data, recorded with the perfect instrument, whose recovery is each method's ceiling.
    `perturbations`: how many perturbed trials an active method may spend, swept; None: one for each trial of the
    plan. `interventions`: how many different things it may do to the subject, swept; None: any number. `baselines`:
    also score each question's oracle, random and marginals-only answers. `drawn`: every subject has parameters of its
    own, drawn from the circuit's prior until its activity lies in the circuit's regime, so that verdicts are over a
    family of circuits; its rivals imitate that very circuit.
    """

    circuits: tuple[Circuit | str, ...]
    plans: tuple[Plan, ...]
    instruments: tuple[Instrument | str, ...]
    methods: tuple[Any, ...]
    rivals: tuple[Circuit | str, ...] = ()
    stimulators: tuple[Stimulator | str | None, ...] = (None,)
    perturbations: tuple[Spendable | None, ...] = (None,)
    interventions: tuple[Spendable | None, ...] = (None,)
    ceiling: Plan | None = None
    ceiling_subjects: Subjects | None = None
    baselines: bool = True
    drawn: bool = False

    def __post_init__(self) -> None:
        for what in PARTS:
            object.__setattr__(self, what, made(what, getattr(self, what)))
        check_fields(self)
        for what in ("circuits", "plans", "instruments", "methods", "stimulators", *SPENT):
            require(len(getattr(self, what)) > 0, f"a grid needs at least one of its {what}, got (): name one")
        for what in (*PARTS, "plans", *SPENT):
            check_distinct(what, getattr(self, what))
        for circuit in self.circuits if self.drawn else ():
            check_family(circuit)
        for method in self.methods:
            _check_asked(method, self.circuits)
        imitated = {name_of(circuit) for circuit in self.circuits}
        others = [rival for rival in self.rivals if not imitated & set(getattr(rival, "twin_of", ()))]
        for circuit, instrument in product((*self.circuits, *others), self.instruments):
            check_pair(circuit, instrument)

    @property
    def asks(self) -> tuple[str, ...]:
        """The questions of its methods, each once."""
        return tuple(dict.fromkeys(method.question for method in self.methods))

    @property
    def family(self) -> tuple[str, ...]:
        """The mechanisms of its circuits and rivals, each once."""
        found = (getattr(c, "mechanism", name_of(c)) for c in (*self.circuits, *self.rivals))
        return tuple(sorted(set(found)))

    def imitations(self) -> list[tuple[Any, Any]]:
        """Each rival matched to each circuit that it imitates, and that circuit (None where it imitates none)."""
        found: dict[str, tuple[Any, Any]] = {}
        for rival in self.rivals:
            twins = [c for c in self.circuits if name_of(c) in getattr(rival, "twin_of", ())]
            matched: list[tuple[Any, Any]] = [(rival.imitating(c), c) for c in twins]  # type: ignore[union-attr]
            for imitation, twin in matched or [(rival, None)]:
                found.setdefault(value_hash(imitation), (imitation, twin))
        return list(found.values())


def _check_asked(method: Any, circuits: tuple[Any, ...]) -> None:
    asked = getattr(method, "question", None)
    require(
        asked in names("questions"),
        f"method {name_of(method)} asks {asked!r}, but the questions are {', '.join(names('questions'))}: "
        "register yours (simlab.register, or the entry-point group simlab.questions)",
    )
    require(
        any(asked in answerable(circuit) for circuit in circuits),
        f"method {name_of(method)} meets no circuit of its grid: none of {', '.join(map(name_of, circuits))} knows the "
        f"true {asked}; give a circuit that does, or leave the method out",
    )


@dataclass(frozen=True)
class Cell:
    """One entry of the grid: one subject, recorded once, given to one method (or baseline)."""

    circuit: Any
    subject: int
    plan: Plan
    instrument: Any
    method: Any
    role: str = "circuit"  # circuit, rival or ceiling
    stimulator: Any = None
    perturbations: int | None = None
    interventions: int | None = None
    family: tuple[str, ...] = ()  # the mechanisms of the grid
    question: Any = None  # with its criteria; None: the registered one
    twin: Any = None  # of a rival: the circuit that it imitates
    drawn: bool = False  # whether the parameters are this subject's own, drawn from the circuit's prior

    @property
    def active(self) -> bool:
        """Whether the method experiments, and so needs a rig."""
        return hasattr(self.method, "investigate")

    @property
    def budget(self) -> Budget:
        """What an active method may spend."""
        return self.plan.budget(self.perturbations, self.interventions)

    @cached_property
    def asked(self) -> Any:
        """The question with its criteria."""
        return self.question if self.question is not None else question(self.method.question)

    def identity(self) -> str:
        """What this cell is, by names and parameters, whatever code runs it."""
        parts = (self.circuit, self.instrument, self.method, self.stimulator)
        plan = [self.plan.trials, repr(self.plan.duration)]
        values = [value_hash(part) for part in parts]
        more: list[Any] = [True] if self.drawn else []
        more += [] if self.interventions is None else [["interventions", self.interventions]]
        return fingerprint([values, self.subject, plan, self.role, self.perturbations, self.family, *more])

    def label_of(self, circuit: Any) -> str:
        """What its circuit, or the one that it imitates, is called: with the parameters that are not the defaults."""
        return "" if circuit is None else label(circuit) + (", drawn" if self.drawn else "")

    def made_of(self) -> dict[str, Any]:
        """The code, criteria and libraries that decide its result: a row made of others is stale."""
        parts = {"circuit": self.circuit, "instrument": self.instrument, "method": self.method}
        parts |= {"stimulator": self.stimulator} if self.stimulator is not None else {}
        code = {name: code_hash(type(part)) for name, part in parts.items()}
        return code | {"question": question_hash(self.asked), "libraries": libraries(self.method)}

    def digest(self, seed: int | str) -> str:
        """The name of its row: a hash of the seed, of what the cell is and of what it is made of."""
        return digest_of(self.identity(), self.made_of(), seed)


def question_hash(asked: Any) -> str:
    """Hash of a question's criteria and code, and of that of its candidate models."""
    models = [code_hash(type(model.circuit)) for model in getattr(asked, "models", ())]
    return value_hash(asked)[:16] + code_hash(type(asked)) + "".join(models)


def digest_of(identity: str, made_of: Mapping[str, Any], seed: int | str) -> str:
    """The name of a cell's row."""
    return fingerprint([identity, made_of, str(seed)])


@dataclass(frozen=True)
class Experiment:
    """A frozen grid (circuits x plans x instruments x methods x subjects) and its claims.

    asks: the scientific question, a paragraph for the report. questions: those whose criteria differ from the default.
    time_limit [s of processor time] and memory_limit [bytes] bound every method's analysis; simulation_limit [s of
    processor time] whatever a circuit or an instrument does at once: a subject, a session, its recording, a truth.
    """

    name: Name
    asks: str
    grids: tuple[Grid, ...]
    claims: tuple[Claim, ...] = ()
    subjects: Subjects = 20
    seed: Seed = 2026
    questions: tuple[Any, ...] = ()
    time_limit: Annotated[float, Within(1e-3, 1e7, "s")] = 600.0
    memory_limit: Annotated[int, Within(2**20, 2**50, "bytes")] = 4 * 2**30
    simulation_limit: Annotated[float, Within(1e-3, 1e7, "s")] = 3600.0
    notes: str = field(default="")

    def __post_init__(self) -> None:
        check_fields(self)
        require(len(self.grids) > 0, "an experiment needs at least one of its grids, got (): give one")
        for what in ("claims", "questions"):
            object.__setattr__(self, what, members(what, getattr(self, what)))

    def cells(self) -> Iterator[Cell]:
        """Every cell once, those that share a simulation next to one another."""
        seen: set[str] = set()
        asked = {name: question(name, self.questions) for grid in self.grids for name in grid.asks}
        for grid in self.grids:
            for cell in _grid_cells(grid, self.subjects, asked):
                identity = cell.identity()
                if identity not in seen:
                    seen.add(identity)
                    yield cell

    def described(self) -> list[Any]:
        """Its grids as plain data, for `run.json`."""
        return describe(self.grids)


def _grid_cells(grid: Grid, subjects: int, asked: Mapping[str, Any]) -> Iterator[Cell]:
    stimulators = [s or create("instruments", "ideal") for s in grid.stimulators]
    hands = tuple(product(stimulators, grid.perturbations, grid.interventions))
    for role, (circuit, twin), plans, instruments, n_subjects in _blocks(grid, subjects):
        for subject, plan in product(range(n_subjects), plans):
            for instrument, method in product(instruments, _methods(grid, circuit)):
                cell = Cell(
                    circuit, subject, plan, instrument, method, role,
                    family=grid.family, question=asked[method.question], twin=twin, drawn=_varies(grid, circuit, twin),
                )  # fmt: skip
                if cell.active:
                    for hand, limit, different in hands:
                        yield replace(cell, stimulator=hand, perturbations=limit, interventions=different)
                else:
                    yield cell


def _varies(grid: Grid, circuit: Any, twin: Any) -> bool:
    """Whether each subject has its own parameters: rivals that imitate none have no prior to follow."""
    return grid.drawn and (twin is not None or any(circuit is own for own in grid.circuits))


def _blocks(grid: Grid, subjects: int) -> Iterator[tuple[str, tuple[Any, Any], tuple[Plan, ...], tuple[Any, ...], int]]:
    """Role, circuit and the one that it imitates, plans, instruments and number of subjects of each part of a grid."""
    for circuit in grid.circuits:
        yield "circuit", (circuit, None), grid.plans, grid.instruments, subjects
    for imitation in grid.imitations():
        yield "rival", imitation, grid.plans, grid.instruments, subjects
    if grid.ceiling is not None:
        ample = min(subjects, grid.ceiling_subjects or subjects)
        for circuit in grid.circuits:
            yield "ceiling", (circuit, None), (grid.ceiling,), (create("instruments", "perfect"),), ample


def _methods(grid: Grid, circuit: Any) -> list[Any]:
    methods = [m for m in grid.methods if m.question in answerable(circuit)]
    if grid.baselines:
        asked = dict.fromkeys(m.question for m in methods)
        methods += [_baseline(question, kind) for question in asked for kind in BASELINES]
    return methods


@cache
def _baseline(question: str, kind: str) -> Baseline:
    return Baseline(question, kind)
