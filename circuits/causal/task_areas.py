"""Areas that serve one behaviour or many, of an animal that is capable of more behaviours than anybody watches."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from circuits.causal.parts import Firing, Lapse, Layout, OffRate, OnRate, PartsSubject
from simlab import truths
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Share
from simlab.session import Session
from simlab.truths import GENERIC, NOTHING, behaviour


@dataclass(frozen=True)
class TaskAreas:
    """Each behaviour b starts in an entry area and ends in an output area of its own, and passes through middle areas.

        middle_m(k+1) = [sum of entry_b(k) over the behaviours b that use m > 1/2]
        output_b(k+1) = [entry_b(k) + sum of middle_m(k) over the m that b uses > 1/2 + their number]

    A middle area is used by each of the `capable` behaviours with probability `sharing`, by one at least. The first
    `watched` of them are what the natural task shows, one per trial (its condition); the outcome is 1 where the output
    of the behaviour that was called for is on and all others are off. Whatever an area is named after by silencing it
    depends on who watched: one that a single watched behaviour uses, and two others, is generic (Jonas & Kording 2017);
    so is one that none of the watched uses, which a lesion takes for useless. Each of the `idle` areas follows an entry
    and drives nothing: it is tuned to that behaviour as middle areas are, and serves none.
    """

    name: ClassVar[str] = "task_areas"
    mechanism: ClassVar[str] = "shared areas"
    questions: ClassVar[tuple[str, ...]] = ("localisation", "connectivity")
    modalities: ClassVar[tuple[str, ...]] = ("spikes", "connectome")

    watched: Annotated[int, Within(2, 10)] = 3
    capable: Annotated[int, Within(2, 40)] = 12
    middle: Annotated[int, Within(1, 40)] = 8
    sharing: Share = 0.2
    idle: Annotated[int, Within(0, 40)] = 8
    lapse: Lapse = 0.0
    on_rate: OnRate = 40.0
    off_rate: OffRate = 4.0

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            self.watched <= self.capable,
            f"watched must be <= capable, got {self.watched} and {self.capable}: nobody sees what is never done",
        )

    def prior(self, rng: np.random.Generator) -> TaskAreas:
        """More or fewer behaviours, middle areas and idle ones, shared more or less."""
        watched = int(rng.integers(2, 5))
        return replace(
            self, watched=watched, capable=int(rng.integers(watched + 2, 20)), middle=int(rng.integers(4, 13)),
            sharing=float(rng.uniform(0.05, 0.5)), lapse=float(rng.uniform(0, 0.05)), idle=int(rng.integers(2, 13)),
        )  # fmt: skip

    def subject(self, rng: np.random.Generator) -> TaskAreasSubject:
        """One animal: who uses which middle area."""
        uses = rng.random((self.capable, self.middle)) < self.sharing
        uses[rng.integers(self.capable, size=self.middle), np.arange(self.middle)] = True
        return TaskAreasSubject(self, uses)


@dataclass(frozen=True, eq=False)
class TaskAreasSubject:
    """One animal."""

    circuit: TaskAreas
    uses: np.ndarray  # (behaviour, middle area) bool

    @cached_property
    def parts(self) -> PartsSubject:
        """The same as areas that are on or off."""
        c = self.circuit
        return PartsSubject(c.name, self._layout(), Firing(c.on_rate, c.off_rate, c.lapse))

    @property
    def anatomy(self) -> xr.Dataset:
        """One neuron per area."""
        return self.parts.anatomy

    def _layout(self) -> Layout:
        """Entries, middle areas, outputs, then idle areas."""
        (n_behaviours, n_middle), n_idle = self.uses.shape, self.circuit.idle
        kinds = {"entry": n_behaviours, "middle": n_middle, "output": n_behaviours, "idle": n_idle}
        n = sum(kinds.values())
        entry, middle, output, idle = np.split(np.arange(n), np.cumsum(list(kinds.values()))[:-1])
        weights = np.zeros((n, n))
        weights[np.ix_(entry, middle)] = self.uses
        weights[np.ix_(middle, output)] = self.uses.T
        weights[entry, output] = 1.0
        weights[np.arange(n_idle) % n_behaviours, idle] = 1.0
        threshold = np.full(n, 0.5)
        threshold[output] += self.uses.sum(axis=1)
        shown = np.zeros((n_behaviours, n))
        shown[entry, entry] = 1.0
        names = tuple(f"{kind} {i}" for kind, count in kinds.items() for i in range(count))
        return Layout(names, weights, threshold, shown, tuple(output.tolist()), np.eye(n_behaviours, dtype=bool))

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """The watched behaviours, each as often as any other, in a random order; the condition is what is asked for."""
        order = rng.permutation(np.arange(trials) % self.circuit.watched)
        return Session(trials, duration, conditions=tuple(order.tolist()))

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """Spikes, the outputs over time, and each trial's outcome."""
        return self.parts.run(session, rng)

    @cached_property
    def losses(self) -> np.ndarray:
        """(area, behaviour) bool: which behaviours fail, without lapses, when each area is silenced."""
        from circuits.causal.layout import right_answers

        n = self.parts.layout.n_areas
        return ~right_answers(self.parts.layout, ~np.eye(n, dtype=bool))

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`localisation` from the silencing of every area in all that the animal is capable of; `connectivity`."""
        answers = {"localisation": self._localisation, "connectivity": lambda: self.parts.truth(question, None, rng)}
        return truths.among(self.circuit.name, question, answers)

    def _localisation(self) -> xr.Dataset:
        named = truths.per_neuron(
            function=np.array([self._function(row) for row in self.losses], dtype=object),
            area=np.arange(len(self.losses)),
        )
        return named.assign(n_behaviours=self.circuit.watched)

    def _function(self, lost: np.ndarray) -> str:
        """An area that any behaviour needs does something, whether it was watched or not: `generic`, if it was not."""
        if not lost.any():
            return NOTHING
        alone = lost.sum() == 1 and lost[: self.circuit.watched].any()
        return behaviour(int(lost.argmax())) if alone else GENERIC
