"""The bounds of a run: for each circuit and rival of its grids, in each setting, how well they can be told apart.

They are kept as `bounds.json` in the run folder, where the report finds them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simlab.bars import Progress
from simlab.bounds.features import features
from simlab.bounds.separation import FEWEST, separation
from simlab.contracts import SimlabError
from simlab.experiment import Baseline, Cell, Experiment, Grid, Plan
from simlab.fingerprint import label
from simlab.lab.laboratory import Lab
from simlab.lab.row import Settings
from simlab.naming import name_of
from simlab.registry import names, question
from simlab.streams import stream

if TYPE_CHECKING:
    from simlab.store.results import Results

FILE = "bounds.json"

FIRST = 1_000_000
"""Number of the first subject that a bound is measured on: individuals that no cell of a run meets."""

DEFAULT_SUBJECTS = 40
"""Of either circuit: an accuracy of .5 or .9 is then known to +- .11 or .07."""


@dataclass(frozen=True)
class Pair:
    """A circuit, its rival, and the setting in which both are recorded."""

    circuit: Any
    rival: Any
    plan: Plan
    instrument: Any
    matched: bool = False  # whether the rival imitates this circuit
    drawn: bool = False  # whether each individual has parameters of its own, drawn from the circuit's prior

    def cell(self, circuit: Any, subject: int = 0) -> Cell:
        """The cell in which one individual of the circuit or of the rival is recorded."""
        imitates = circuit is self.rival and self.matched
        return Cell(
            circuit, subject, self.plan, self.instrument, Baseline("mechanism", "random"),
            twin=self.circuit if imitates else None, drawn=self.drawn and (imitates or circuit is self.circuit),
        )  # fmt: skip

    def label(self, circuit: Any) -> str:
        """What a run's table calls it."""
        return self.cell(circuit).label_of(circuit)

    @property
    def named(self) -> dict[str, Any]:
        """As a run's table names it."""
        return {
            "circuit_label": self.label(self.circuit),
            "rival_label": self.label(self.rival),
            "instrument_label": label(self.instrument),
            "trials": self.plan.trials,
            "duration": self.plan.duration,
        }


def pairs_of(spec: Experiment) -> list[Pair]:
    """Every circuit with each rival that imitates it, or imitates none, under each plan and instrument: each once.

    Of the grids that ask which of the two it is: who asks a recording about wiring is told nothing by such a bound.
    """
    found: dict[str, Pair] = {}
    for grid in spec.grids:
        if any(separates(question(name, spec.questions)) for name in grid.asks):
            for pair in _pairs(grid):
                found.setdefault(json.dumps(pair.named), pair)
    return list(found.values())


def separates(asked: Any) -> bool:
    """Whether a question is about telling a circuit from its rival."""
    return bool(getattr(asked, "separates", False))


def _pairs(grid: Grid) -> Iterator[Pair]:
    for rival, twin in grid.imitations():
        for circuit in grid.circuits if twin is None else (twin,):
            for plan in grid.plans:
                for instrument in grid.instruments:
                    yield Pair(circuit, rival, plan, instrument, twin is not None, grid.drawn)


def measure(
    results: Results, subjects: int = DEFAULT_SUBJECTS, progress: Progress | None = None
) -> list[dict[str, Any]]:
    """Measures every pair of a run on `subjects` new individuals of either circuit, and keeps the bounds in its folder.

    progress: told after each pair. Raises SimlabError for fewer subjects than a classifier needs, and
    where the run's experiment is not known here or no grid with rivals asks which circuit it is.
    """
    if subjects < FEWEST:
        raise SimlabError(f"a bound needs {FEWEST} subjects of each circuit at least, got {subjects}: ask for more")
    spec = results.spec
    if spec is None:
        raise SimlabError(f"{results.folder} was made by an experiment that is not known here: open it with its own")
    pairs = pairs_of(spec)
    if not pairs:
        telling = ", ".join(name for name in names("questions") if separates(question(name)))
        raise SimlabError(
            f"{spec.name} has no grid with rivals that asks which circuit it is, and a bound is about that: give one "
            f"rivals, and a method that answers {telling}"
        )
    settings = Settings(spec.seed, None, spec.time_limit, spec.memory_limit, simulation_limit=spec.simulation_limit)
    seen: dict[str, list[dict[str, float]]] = {}
    rows = []
    for k, pair in enumerate(pairs):
        rows.append(_bound(pair, subjects, settings, seen))
        (Path(results.folder) / FILE).write_text(json.dumps(rows, indent=1))
        if progress is not None:
            parts = {"circuit": pair.circuit, "instrument": pair.instrument, "method": pair.rival}
            progress(k + 1, len(pairs), {what: name_of(part) for what, part in parts.items()})
    return rows


def _bound(pair: Pair, subjects: int, settings: Settings, seen: dict[str, list[dict[str, float]]]) -> dict[str, Any]:
    def statistics(circuit: Any) -> list[dict[str, float]]:
        name = json.dumps([pair.label(circuit), label(pair.instrument), pair.plan.trials, pair.plan.duration])
        if name not in seen:
            seen[name] = [_statistics(circuit, pair, FIRST + number, settings) for number in range(subjects)]
        return seen[name]

    rng = stream(settings.seed, "bound", *map(str, pair.named.values()))
    return pair.named | asdict(separation(statistics(pair.circuit), statistics(pair.rival), rng))


def _statistics(circuit: Any, pair: Pair, subject: int, settings: Settings) -> dict[str, float]:
    """Of one individual's recording, as a passive method would get it."""
    return features(Lab(pair.cell(circuit, subject), settings).recording())


def kept(folder: Path | str) -> list[dict[str, Any]]:
    """The bounds that were measured for a run folder; none if none were."""
    file = Path(folder) / FILE
    return json.loads(file.read_text()) if file.is_file() else []
