"""An animal that is shown a few of the stimuli that it can be asked about."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from circuits.causal.redundant import Redundant
from circuits.limits.limited import Limit, LimitedSubject
from simlab.contracts import Circuit
from simlab.rules import check_fields
from simlab.rules.quantities import Count
from simlab.session import Session


@dataclass(frozen=True)
class FewStimuli(Limit):
    """Any circuit in whose natural task only the first `stimuli` conditions occur.

    Trials of the others are replaced by trials of these, in turn, stimulus and all. A circuit whose task has no
    conditions, or no more than these, is as it was. The truth is about the whole task.
    """

    name: ClassVar[str] = "few_stimuli"

    of: Circuit = field(default_factory=Redundant)
    stimuli: Count = 1

    def __post_init__(self) -> None:
        check_fields(self)

    def subject(self, rng: np.random.Generator) -> FewStimuliSubject:
        """One animal of the circuit inside."""
        return FewStimuliSubject(self.of.subject(rng), self)


@dataclass(frozen=True, eq=False)
class FewStimuliSubject(LimitedSubject):
    """One animal."""

    circuit: FewStimuli

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """The natural task with the conditions that are shown; as it was where none of them came up."""
        whole = self.inner.session(trials=trials, duration=duration, rng=rng)
        if whole.conditions is None:
            return whole
        condition = np.array(whole.conditions)
        shown = np.flatnonzero(condition < self.circuit.stimuli)
        if len(shown) in (0, trials):
            return whole
        source = np.arange(trials)
        hidden = np.flatnonzero(condition >= self.circuit.stimuli)
        source[hidden] = shown[np.arange(len(hidden)) % len(shown)]
        stimulus = whole.stimulus
        if stimulus is not None:
            stimulus = replace(stimulus, values=stimulus.values[source])
        return replace(whole, stimulus=stimulus, conditions=tuple(condition[source].tolist()))
