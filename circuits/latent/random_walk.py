"""Neurons whose activity drifts as a random walk each: a high-dimensional walk, whose principal components mislead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from circuits.latent.latent_factors import BinStep, Spread
from circuits.latent.population import Course, Model, Population, log_normal_rates, n_bins
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Rate
from simlab.session import Session


@dataclass(frozen=True)
class RandomWalk:
    """Each neuron's activity is a random walk of its own that begins anew in each trial.

        r_i(t) = b_i + growth b_i W_i(t),   W_i: a standard Wiener process in units of s^(1/2),   W_i(0) = 0

    cut off at 0 where neurons spike; the rate version may go below, as a trace about its baseline. The first principal
    component of a high-dimensional random walk holds 6 / pi^2 = 61% of the variance, the k-th 6 / (pi k)^2, and their
    time courses are cosines of k half periods (Antognini & Sohl-Dickstein 2018, arXiv 1806.08805), so that independent
    drifts look like a low-dimensional, oscillating trajectory.

    Truths: no latent factor, `dimensionality` 0.
    """

    name: ClassVar[str] = "random_walk"
    mechanism: ClassVar[str] = "independent drift"
    questions: ClassVar[tuple[str, ...]] = ("dimensionality", "latents", "connectivity")

    n_neurons: Annotated[int, Within(2, 10_000)] = 60
    rate: Rate = 10.0  # Hz, median over neurons of b
    rate_spread: Spread = 0.0  # standard deviation of log b over neurons; 0: all walks have one step size, as in theory
    growth: Annotated[float, Within(0, 100)] = 0.3  # s^(-1/2): after 1 s rates have wandered by this share of b
    step: BinStep = 0.01  # s between steps
    model: Model = "spiking"  # or "rate"

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def modalities(self) -> tuple[str, ...]:
        """What its activity holds."""
        return ("spikes",) if self.model == "spiking" else ("rate",)

    def subject(self, rng: np.random.Generator) -> Population:
        """One individual: its neurons' mean rates."""
        base = log_normal_rates(self.n_neurons, self.rate, self.rate_spread, rng)
        return Population.placed(self, {"base": base}, rng)

    def course(self, individual: Mapping[str, np.ndarray], session: Session, rng: np.random.Generator) -> Course:
        """Rates of a session; no latents."""
        shape = (session.trials, n_bins(session.duration, self.step), self.n_neurons)
        walk = np.cumsum(rng.standard_normal(shape) * np.sqrt(self.step), axis=1)
        rate = individual["base"] * (1 + self.growth * walk)
        return Course(walk[:, :, :0], np.maximum(rate, 0.0) if self.model == "spiking" else rate)

    def dimensions(self) -> dict[str, int]:
        """None are shared."""
        return {"linear": 0, "intrinsic": 0}
