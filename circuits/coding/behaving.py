"""What populations beside a behaving animal have in common: its behaviour, and spikes at a rate for each trial."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import xarray as xr

from circuits.coding.tasks import Course
from simlab import truths
from simlab.data import activity, anatomy
from simlab.rules import Within
from simlab.session import Session

TISSUE = 300e-6
"""Edge [m] of the cube in which the neurons lie at random."""

Baseline = Annotated[float, Within(0.1, 100, "Hz")]
NeuronCount = Annotated[int, Within(1, 5_000)]


@dataclass(frozen=True, eq=False)
class BehavingSubject:
    """One animal and the neurons that are recorded while it chooses.

    rates: (Course, rng) -> (trial, neuron) [Hz]. codes: (neuron,) the variable of each, or `truths.NOTHING`.
    """

    circuit: Any
    rates: Callable[[Course, np.random.Generator], np.ndarray]
    codes: np.ndarray
    anatomy: xr.Dataset

    @classmethod
    def placed(
        cls,
        circuit: Any,
        rates: Callable[[Course, np.random.Generator], np.ndarray],
        codes: np.ndarray,
        kind: str,
        rng: np.random.Generator,
    ) -> BehavingSubject:
        """Neurons of a `kind` (E or I), anywhere in the tissue: their places tell nothing of what they code."""
        place = rng.uniform(0, TISSUE, (len(codes), 3))
        return cls(circuit, rates, codes, anatomy(place, [kind] * len(codes)))

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Trials in which nothing is shown but what the task needs."""
        return Session(trials, duration)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with spikes, and with `behaviour`: one value of each of the task's `factors` in every trial."""
        from simlab.simulators.given_rates import spikes

        task = self.circuit.task
        course = task.course(session.trials, rng)
        fired = spikes(session, self.rates(course, rng)[:, None], session.duration, rng)
        known = {"time": np.zeros(1), "behaviour": course.known[:, None], "factors": task.factors}
        seen = activity(session, len(self.codes), spikes=fired, **known)
        return seen.assign_attrs(engine=f"numpy {np.__version__}")

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`tuning`: which variable each neuron's rate is a function of; `connectivity`: none."""
        answers = {
            "tuning": lambda: truths.tuning(self.codes, self.circuit.task.candidates),
            "connectivity": lambda: truths.no_wiring(len(self.codes)),
        }
        return truths.among(self.circuit.name, question, answers)
