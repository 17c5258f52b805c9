"""Neurons that each jump among rates by a Markov chain of their own: no state of the population."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from circuits.latent.markov_states import MarkovStates
from circuits.latent.population import Course, LikeItsTwin, Population, n_bins
from simlab.rules import check_fields
from simlab.session import Session


@dataclass(frozen=True)
class OwnStates(LikeItsTwin):
    """Each neuron has the chain, the rates and so the law of one of `like`, and jumps when it likes.

    Rates, modulation, autocorrelation, counts and intervals of single neurons are those of `markov_states`. What
    differs is that no two neurons jump together. Truths: no latent factor, `dimensionality` 0.
    """

    name: ClassVar[str] = "own_states"
    mechanism: ClassVar[str] = "independent neurons"
    twin_of: ClassVar[tuple[str, ...]] = ("markov_states",)
    questions: ClassVar[tuple[str, ...]] = ("dimensionality", "latents", "connectivity")

    like: MarkovStates = field(default_factory=MarkovStates)  # the population whose neurons it copies, one by one

    def __post_init__(self) -> None:
        check_fields(self)

    def imitating(self, circuit: MarkovStates) -> OwnStates:
        """A copy that is matched to this population."""
        return replace(self, like=circuit)

    def subject(self, rng: np.random.Generator) -> Population:
        """One individual: the neurons that `like` would have."""
        return replace(self.like.subject(rng), circuit=self)

    def course(self, individual: Mapping[str, np.ndarray], session: Session, rng: np.random.Generator) -> Course:
        """Rates of a session; no latents."""
        shape = (session.trials * self.n_neurons, n_bins(session.duration, self.step))
        state = self.like.paths(shape, rng).reshape(session.trials, self.n_neurons, shape[1])
        rates = np.take_along_axis(self.like.rates(individual)[None], state, axis=2)
        return Course(np.empty((session.trials, shape[1], 0)), rates.transpose(0, 2, 1))

    def dimensions(self) -> dict[str, int]:
        """None are shared."""
        return {"linear": 0}
