"""A hypercolumn of the same tuning that gets it from its input, and neuron by neuron."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from circuits.coding.discrimination import DiscriminatingSubject, Discrimination, Moments, unconnected
from circuits.coding.hypercolumn import Hypercolumn, drawn
from circuits.coding.information_limiting import VISUAL_CORTEX
from simlab.contracts import Regime
from simlab.rules import check_fields


@dataclass(frozen=True)
class FeedforwardHypercolumn:
    """The tuning curves of `like`, given to each neuron by an input of its own (Hubel & Wiesel 1962).

        log rate_i = log f_i(s) + g z + p_i x_i - (g^2 + p_i^2) / 2,    z, x_i ~ N(0, 1) in each trial

    f: the mean rates of `like` at either stimulus, in between on a straight line of their logarithms. g^2 + p_i^2 gives
    each neuron the variance that it has there, and the gain g, common to all, gives pairs the mean covariance (none
    where that is negative, and no more than leaves each neuron its variance). No neuron contacts another, and no noise
    points along the code, so that Fisher information grows with every neuron.
    """

    name: ClassVar[str] = "feedforward_hypercolumn"
    mechanism: ClassVar[str] = "feedforward sharpening"
    twin_of: ClassVar[tuple[str, ...]] = ("hypercolumn",)
    questions: ClassVar[tuple[str, ...]] = ("information", "connectivity")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)
    regime: ClassVar[Regime] = VISUAL_CORTEX

    like: Hypercolumn = field(default_factory=Hypercolumn)  # whose tuning it has

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def task(self) -> Discrimination:
        """What is shown."""
        return self.like.task

    def imitating(self, circuit: Hypercolumn) -> FeedforwardHypercolumn:
        """A copy that is matched to this hypercolumn."""
        return replace(self, like=circuit)

    def subject(self, rng: np.random.Generator) -> DiscriminatingSubject:
        """One individual: the tuning of one of `like`."""
        step = self.task.step
        ends = drawn(self.like, rng).moments(step * np.array([-0.5, 0.5]))
        shared, own = _noise(ends)

        def mean(stimulus: np.ndarray) -> np.ndarray:
            share = (stimulus / step + 0.5)[:, None]
            return np.asarray(np.exp((1 - share) * np.log(ends.mean[0]) + share * np.log(ends.mean[1])))

        def rates(stimulus: np.ndarray, rng: np.random.Generator) -> np.ndarray:
            z, x = rng.standard_normal((len(stimulus), 1)), rng.standard_normal((len(stimulus), len(own)))
            return np.asarray(mean(stimulus) * np.exp(shared * z + own * x - (shared**2 + own**2) / 2))

        def moments(stimulus: np.ndarray) -> Moments:
            at = mean(stimulus)
            log_covariance = shared**2 + np.diag(own**2)
            return Moments(at, at[:, :, None] * at[:, None, :] * np.expm1(log_covariance))

        saturates = None if self.like.modulation == 0 else False
        nothing = np.zeros((len(own), len(own)))
        return DiscriminatingSubject.placed(self, unconnected(rates), moments, saturates, nothing, rng)


def _noise(ends: Moments) -> tuple[float, np.ndarray]:
    """Standard deviations of the gain g and of each neuron's own noise (neuron,), of log rates."""
    covariance = ends.covariance.mean(axis=0)
    products = (ends.mean[:, :, None] * ends.mean[:, None, :]).mean(axis=0)
    relative = np.diag(covariance) / np.diag(products)
    pairs = ~np.eye(len(products), dtype=bool)
    common = max(float(covariance[pairs].sum() / products[pairs].sum()), 0.0)
    common = min(common, float(relative.min()))
    return float(np.sqrt(np.log1p(common))), np.sqrt(np.maximum(np.log1p(relative) - np.log1p(common), 0.0))
