"""The rival of causes among correlates: the same correlations at home, and the arrows turned round."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from circuits.causal.invariant_causes import InvariantCauses
from circuits.causal.linear_paths import LinearSubject, Model
from simlab.rules import check_fields


@dataclass(frozen=True)
class ReversedCauses:
    """What are effects in `like` drive the behaviour here, and what are causes there follow from it.

    In environment 0 all units and the behaviour have exactly the joint normal distribution that the twin of `like` has:
    each variable is its regression on those before it, in the order effects, behaviour, causes, siblings, bystanders,
    with what is left as its own noise. (Any distribution of normal variables factorises along any order: what one
    environment shows cannot tell the arrows; Pearl 2009, Causality; Spirtes et al. 2000.) The other environments shift
    and widen the same units by as much, in units of the noise that they have here. So what predicts the behaviour at
    home is the same, and which of it is invariant is not.
    """

    name: ClassVar[str] = "reversed_causes"
    mechanism: ClassVar[str] = "reversed causes"
    twin_of: ClassVar[tuple[str, ...]] = ("invariant_causes",)
    questions: ClassVar[tuple[str, ...]] = ("necessity", "circuit", "connectivity")
    modalities: ClassVar[tuple[str, ...]] = ("rate",)

    like: InvariantCauses = field(default_factory=InvariantCauses)

    def __post_init__(self) -> None:
        check_fields(self)

    def imitating(self, circuit: InvariantCauses) -> ReversedCauses:
        """A copy that is matched to this circuit."""
        return replace(self, like=circuit)

    def subject(self, rng: np.random.Generator) -> LinearSubject:
        """The animal that `like` draws, with its arrows turned round."""
        twin = self.like.subject(rng)
        first, last = self.like.causes, self.like.causes + self.like.effects
        n = self.like.n_units
        order = [*range(first, last), n, *range(first), *range(last, n)]
        weights, noise = factorised(covariance(twin.model), order)
        old = twin.model.noise
        mean = twin.model.mean * np.divide(noise, old, out=np.zeros_like(noise), where=old > 0)
        return replace(twin, name=self.name, model=replace(twin.model, weights=weights, noise=noise, mean=mean))


def covariance(model: Model) -> np.ndarray:
    """(variable, variable) of units and behaviour in environment 0, where nothing is shown."""
    total = np.linalg.inv(np.eye(len(model.weights)) - model.weights)  # what each one's noise does to all
    return total.T @ np.diag((model.scale[0] * model.noise) ** 2) @ total


def factorised(covariance: np.ndarray, order: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Weights (pre, post) and noise (variable,) by which each variable of an order is made of those before it."""
    weights, noise = np.zeros_like(covariance), np.empty(len(covariance))
    for place, post in enumerate(order):
        before = order[:place]
        slope = np.linalg.lstsq(covariance[np.ix_(before, before)], covariance[before, post], rcond=None)[0]
        weights[before, post] = np.where(np.abs(slope) > 1e-9, slope, 0.0)
        noise[post] = np.sqrt(max(covariance[post, post] - slope @ covariance[before, post], 0.0))
    return weights, noise
