"""Neurons that each wander smoothly on their own: what looks like population dynamics, and is shared by nobody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from circuits.latent.latent_factors import LatentFactors
from circuits.latent.population import Course, LikeItsTwin, Population, log_normal_rates
from simlab.rules import check_fields
from simlab.session import Session


@dataclass(frozen=True)
class SmoothNoise(LikeItsTwin):
    """Each neuron's log rate is a smooth process of its own, independent of all others.

        log r_i(t) = log b_i + sqrt(v) p_i(t) - v/2,   v = depth^2 + private_depth^2 of `like`

    and likewise with the rectified readout. Each neuron alone has exactly the law of one of `like`: rates, modulation,
    autocorrelation, counts and intervals. What differs is that nothing is shared. Principal components of such data
    look like oscillations: their time courses are half-cosines, and cross-validation does not notice (Shinn 2023,
    PNAS 120:e2310012120). With a time constant that is short against the spacing of samples, these are independent.

    Truths: no latent factor, `dimensionality` 0.
    """

    name: ClassVar[str] = "smooth_noise"
    mechanism: ClassVar[str] = "independent neurons"
    twin_of: ClassVar[tuple[str, ...]] = ("latent_factors",)
    questions: ClassVar[tuple[str, ...]] = ("dimensionality", "latents", "connectivity")

    like: LatentFactors = field(default_factory=LatentFactors)  # the population whose neurons it copies, one by one

    def __post_init__(self) -> None:
        check_fields(self)

    def imitating(self, circuit: LatentFactors) -> SmoothNoise:
        """A copy that is matched to this population."""
        return replace(self, like=circuit)

    def subject(self, rng: np.random.Generator) -> Population:
        """One individual: its neurons' mean rates."""
        like = self.like
        return Population.placed(
            self, {"base": log_normal_rates(like.n_neurons, like.rate, like.rate_spread, rng)}, rng
        )

    def course(self, individual: Mapping[str, np.ndarray], session: Session, rng: np.random.Generator) -> Course:
        """Rates of a session; no latents."""
        own = self.like.paths(session, self.n_neurons, rng)
        return Course(own[:, :, :0], self.like.rates(individual["base"], self.like.modulation * own))

    def dimensions(self) -> dict[str, int]:
        """None are shared."""
        return {"linear": 0, "intrinsic": 0}
