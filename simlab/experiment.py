"""Experiments: frozen grids of circuits, plans, instruments and methods, and the claims they must bear out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import product
from typing import TYPE_CHECKING, Any

from simlab.contracts import Budget, Circuit, Instrument, SimlabError, Stimulator
from simlab.fingerprint import fingerprint, part_hash, value_hash

if TYPE_CHECKING:
    from simlab.claims import Claim

BASELINES = ("oracle", "random", "marginals_only")


def _require(rule: bool, message: str) -> None:
    if not rule:
        raise SimlabError(message)


@dataclass(frozen=True)
class Plan:
    """How much is recorded: trials of `duration` [s] each of the circuit's natural task.

    A passive method gets a recording of that session; an active one a rig with that many trials and seconds and,
    unless the grid says otherwise, as many perturbed trials.
    """

    trials: int
    duration: float

    def __post_init__(self) -> None:
        whole = isinstance(self.trials, int) and self.trials >= 1
        _require(whole, f"trials must be >= 1 and whole, got {self.trials!r}: plan at least one trial")
        finite = isinstance(self.duration, int | float) and 0 < self.duration < float("inf")
        _require(finite, f"duration must be > 0 s and finite, got {self.duration!r}: plan trials of positive length")

    def budget(self, perturbations: float | None = None) -> Budget:
        """The budget that buys this plan's amount of data."""
        limit = self.trials if perturbations is None else perturbations
        return Budget(self.trials, self.trials * self.duration, limit)


@dataclass(frozen=True)
class Baseline:
    """A stand-in for a method that may see the truth: `oracle`, `random` or `marginals_only` of a question."""

    question: str
    kind: str

    @property
    def name(self) -> str:
        return f"baseline:{self.kind}"


@dataclass(frozen=True)
class Grid:
    """A block of cells: every circuit and rival, under every plan, instrument and method that fit together.

    A method meets only circuits whose truth answers its question. `ceiling`: a plan of ample data, recorded with
    the perfect instrument, whose recovery is each method's ceiling. `perturbations`: how many perturbed trials an
    active method may spend, swept; None: one for each trial of the plan. `baselines`: also score each question's
    oracle, random and marginals-only answers.
    """

    circuits: tuple[Circuit, ...]
    plans: tuple[Plan, ...]
    instruments: tuple[Instrument, ...]
    methods: tuple[Any, ...]
    rivals: tuple[Circuit, ...] = ()
    stimulators: tuple[Stimulator | None, ...] = (None,)
    perturbations: tuple[int | None, ...] = (None,)
    ceiling: Plan | None = None
    ceiling_subjects: int | None = None
    baselines: bool = True

    def __post_init__(self) -> None:
        for what in ("circuits", "plans", "instruments", "methods"):
            _require(len(getattr(self, what)) > 0, f"a grid needs at least one of its {what}, got none")


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
    candidates: tuple[str, ...] = ()

    @property
    def active(self) -> bool:
        """Whether the method experiments, and so needs a rig."""
        return hasattr(self.method, "investigate")

    @property
    def budget(self) -> Budget:
        return self.plan.budget(self.perturbations)

    @property
    def parts(self) -> tuple[Any, Any, Any, Any]:
        return self.circuit, self.instrument, self.method, self.stimulator

    def identity(self) -> str:
        """What this cell is, by names and parameters: its random streams depend on that and the seed alone."""
        plan = [self.plan.trials, repr(self.plan.duration)]
        values = [value_hash(part) for part in self.parts]
        return fingerprint([values, self.subject, plan, self.role, self.perturbations, self.candidates])

    def key(self, seed: int | str) -> str:
        """The name of this cell's row: a hash of the seed, the cell, and the sources of its circuit, instrument, method
        and stimulator (not of the libraries, engines and questions: `run.json` holds the versions of those)."""
        return fingerprint([self.identity(), [part_hash(part) for part in self.parts], str(seed)])


@dataclass(frozen=True)
class Experiment:
    """A frozen grid (circuits x plans x instruments x methods x subjects) and its claims.

    asks: the scientific question, a paragraph for the report. time_limit [s] and memory_limit [bytes] bound every
    method's analysis.
    """

    name: str
    asks: str
    grids: tuple[Grid, ...]
    claims: tuple[Claim, ...] = ()
    subjects: int = 20
    seed: int | str = 2026
    time_limit: float = 600.0
    memory_limit: int = 4 * 2**30
    notes: str = field(default="")

    def __post_init__(self) -> None:
        _require(self.subjects >= 1, f"an experiment needs at least one subject, got {self.subjects}")
        _require(len(self.grids) > 0, "an experiment needs at least one grid, got none")
        _require(self.time_limit > 0, f"time_limit must be > 0 s, got {self.time_limit}")

    def cells(self) -> Iterator[Cell]:
        """Every cell once, those that share a simulation next to one another."""
        seen: set[str] = set()
        for grid in self.grids:
            for cell in _grid_cells(grid, self.subjects):
                key = cell.key(self.seed)
                if key not in seen:
                    seen.add(key)
                    yield cell


def _grid_cells(grid: Grid, subjects: int) -> Iterator[Cell]:
    from simlab.instruments.recording.perfect import Perfect
    from simlab.instruments.stimulating.ideal import Ideal

    family = tuple(sorted({c.name for c in (*grid.circuits, *grid.rivals)}))
    hands = tuple(product([s or Ideal() for s in grid.stimulators], grid.perturbations))
    blocks: list[tuple[str, Any, Any, Any, int]] = [
        ("circuit", grid.circuits, grid.plans, grid.instruments, subjects),
        ("rival", grid.rivals, grid.plans, grid.instruments, subjects),
    ]
    if grid.ceiling is not None:
        ample = min(subjects, grid.ceiling_subjects or subjects)
        blocks.append(("ceiling", grid.circuits, (grid.ceiling,), (Perfect(),), ample))
    for role, circuits, plans, instruments, n_subjects in blocks:
        for circuit, subject, plan in product(circuits, range(n_subjects), plans):
            for instrument, method in product(instruments, _methods(grid, circuit)):
                cell = Cell(circuit, subject, plan, instrument, method, role, candidates=family)
                if cell.active:
                    yield from (replace(cell, stimulator=hand, perturbations=limit) for hand, limit in hands)
                else:
                    yield cell


def _methods(grid: Grid, circuit: Circuit) -> list[Any]:
    methods = [m for m in grid.methods if m.question in circuit.questions]
    if grid.baselines:
        methods += [_baseline(question, kind) for question in _asked(methods) for kind in BASELINES]
    return methods


def _asked(methods: list[Any]) -> list[str]:
    return list(dict.fromkeys(m.question for m in methods))


@cache
def _baseline(question: str, kind: str) -> Baseline:
    return Baseline(question, kind)
