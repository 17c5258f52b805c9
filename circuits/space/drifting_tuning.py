"""Representational drift: place cells that are tuned on every day, to a place that walks from day to day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

import numpy as np
import xarray as xr

from circuits.space.driven import codes
from circuits.space.foraging import foraging_session, places
from circuits.space.place_cells import PlaceCells, scattered
from circuits.space.trajectory import STEP, Walk
from simlab import truths
from simlab.data import activity, anatomy
from simlab.rules import Within, check_fields
from simlab.session import Session

TISSUE = 400e-6
"""Edge [m] of the cube in which the cells lie at random."""

Course = Callable[[int, np.random.Generator], tuple[np.ndarray, np.ndarray]]
"""Of so many days: field centres (day, neuron, 2) [m], and factors (day, neuron) on the peaks."""


@dataclass(frozen=True)
class DriftingTuning:
    """Cells of `like` whose field centres walk from one trial to the next; each trial is a day's session.

        rate_i(x, t) = background + peak exp(-|x - c_i(t)|^2 / (2 width^2)),   c_i(t+1) = c_i(t) + drift z

    z: normal, in both directions; walls reflect. On any day the population maps the floor as well as on any other, and
    a reader who is not taught anew gets lost within days (Driscoll et al. 2017, Cell 170:986, in parietal cortex;
    Ziv et al. 2013, Nat Neurosci 16:264, in hippocampus: a fifth of the cells of a day are shared by one a month on).
    Sizes of steps are simlab's. Between trials nothing is recorded, and no trial differs in anything else.
    """

    name: ClassVar[str] = "drifting_tuning"
    mechanism: ClassVar[str] = "drifting code"
    questions: ClassVar[tuple[str, ...]] = ("tuning", "connectivity")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)

    like: PlaceCells = field(default_factory=lambda: PlaceCells(n_neurons=40))
    drift: Annotated[float, Within(0, 10, "m")] = 0.15  # sd of a day's step in each direction: a field's width or so

    def __post_init__(self) -> None:
        check_fields(self)

    def subject(self, rng: np.random.Generator) -> DailySubject:
        """One individual: where its fields are on the first day."""
        cells = self.like
        first = scattered(cells.n_neurons, rng) * cells.walk.box

        def course(days: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
            steps = self.drift * rng.standard_normal((days, *first.shape))
            steps[0] = 0.0
            free, box = first + np.cumsum(steps, axis=0), cells.walk.box
            return box - np.abs(np.mod(free, 2 * box) - box), np.ones((days, cells.n_neurons))

        return DailySubject.placed(self, cells, course, rng)


@dataclass(frozen=True, eq=False)
class DailySubject:
    """One individual whose fields or peaks are others in each trial; cells: their shape, and who walks."""

    circuit: Any
    cells: PlaceCells
    course: Course
    anatomy: xr.Dataset

    @classmethod
    def placed(cls, circuit: Any, cells: PlaceCells, course: Course, rng: np.random.Generator) -> DailySubject:
        """Anywhere in the tissue."""
        place = rng.uniform(0, TISSUE, (cells.n_neurons, 3))
        return cls(circuit, cells, course, anatomy(place, ["E"] * cells.n_neurons, "hippocampus"))

    @property
    def walk(self) -> Walk:
        """How the animal moves."""
        return self.cells.walk

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """A day of foraging per trial."""
        return foraging_session(self.walk, 0.0, trials, duration, rng)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with the spikes of all neurons."""
        from simlab.simulators.given_rates import spikes

        fired = spikes(session, self.rates(session, rng.spawn(1)[0]), STEP, rng)
        result = activity(session, self.cells.n_neurons, spikes=fired)
        return result.assign_attrs(engine="numpy (renewal processes at given rates)")

    def rates(self, session: Session, rng: np.random.Generator) -> np.ndarray:
        """Rates (trial, step, neuron) [Hz], every `STEP`."""
        place = places(session)
        centres, gain = self.course(session.trials, rng)
        rates = np.empty((*place.shape[:2], self.cells.n_neurons))
        for day, path in enumerate(place):
            rates[day] = self.cells.rates(centres[day], path, gain[day])
        return rates

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`tuning`: position, of every cell on every day; `connectivity`: none."""
        n = self.cells.n_neurons
        answers = {"tuning": lambda: codes("position", n), "connectivity": lambda: truths.no_wiring(n)}
        return truths.among(self.circuit.name, question, answers)
