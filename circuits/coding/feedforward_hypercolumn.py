"""A hypercolumn of the same tuning that gets it from its input, and neuron by neuron."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from circuits.coding.discrimination import DiscriminatingSubject, Discrimination, Moments, unconnected
from circuits.coding.harmless_noise import opposed
from circuits.coding.hypercolumn import SOURCES, Hypercolumn, drawn
from circuits.coding.information_limiting import VISUAL_CORTEX
from simlab.contracts import Regime
from simlab.rules import check_fields


@dataclass(frozen=True)
class FeedforwardHypercolumn:
    """The tuning curves of `like`, given to each neuron by an input of its own (Hubel & Wiesel 1962).

        log rate_i = log f_i(s) + sum_k sigma_i l_ik z_k + p_i x_i - (variance of the noise) / 2,   sigma_i = +-1

    with z_k, x_i ~ N(0, 1) in each trial. f: the mean rates of `like` at either stimulus, in between on a straight line
    of their logarithms. l: the three factors of the covariance of log rates that its three sources of noise make there,
    p: what they leave of each neuron's variance. Inputs are shared by neurons whatever their tuning, as signs are drawn
    as those of `harmless_noise`: every neuron has the variance that it has in `like`, and pairs have correlations of
    about the same sizes, which do not point along the code. No neuron contacts another, and Fisher information grows
    with every neuron.
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
        shared = shared * opposed(np.log(ends.mean[1] / ends.mean[0]), rng)[:, None]
        log_covariance = shared @ shared.T + np.diag(own**2)

        def mean(stimulus: np.ndarray) -> np.ndarray:
            share = (stimulus / step + 0.5)[:, None]
            return np.asarray(np.exp((1 - share) * np.log(ends.mean[0]) + share * np.log(ends.mean[1])))

        def rates(stimulus: np.ndarray, rng: np.random.Generator) -> np.ndarray:
            z, x = rng.standard_normal((len(stimulus), SOURCES)), rng.standard_normal((len(stimulus), len(own)))
            return np.asarray(mean(stimulus) * np.exp(z @ shared.T + own * x - np.diag(log_covariance) / 2))

        def moments(stimulus: np.ndarray) -> Moments:
            at = mean(stimulus)
            return Moments(at, at[:, :, None] * at[:, None, :] * np.expm1(log_covariance))

        saturates = None if self.like.modulation == 0 else False
        nothing = np.zeros((len(own), len(own)))
        return DiscriminatingSubject.placed(self, unconnected(rates), moments, saturates, nothing, rng)


def _noise(ends: Moments) -> tuple[np.ndarray, np.ndarray]:
    """Of log rates: loadings (neuron, source) of shared noise, and standard deviations (neuron,) of each one's own."""
    products = (ends.mean[:, :, None] * ends.mean[:, None, :]).mean(axis=0)
    log_covariance = np.log1p(ends.covariance.mean(axis=0) / products)
    value, direction = np.linalg.eigh(log_covariance)
    shared = direction[:, -SOURCES:] * np.sqrt(np.maximum(value[-SOURCES:], 0.0))
    variance, explained = np.diag(log_covariance), (shared**2).sum(axis=1)
    shared = shared * np.sqrt(np.minimum(variance / np.maximum(explained, 1e-12), 1.0))[:, None]
    return shared, np.sqrt(np.maximum(variance - explained, 0.0))
