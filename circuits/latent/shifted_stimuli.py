"""A population that encodes several stimulus features, of which the training stimuli vary only some."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from circuits.latent.latent_factors import BinStep, Depth, Spread, TimeConstant
from circuits.latent.population import Course, Model, Population, log_normal_rates, n_bins
from circuits.latent.processes import stationary
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Rate, Share
from simlab.session import Session

TRAINING, NEW = 0, 1
"""Conditions: trials with the stimuli that a summary is fitted on, and those with new ones."""


@dataclass(frozen=True)
class ShiftedStimuli:
    """Log rates are an affine readout of stimulus features whose variances differ between two sets of stimuli.

        log r_i(t) = log b_i + depth w_i.s(t) - mean,   s_j: Gaussian processes of variance v_j(condition)

    In training trials (condition 0) the first `trained` features have variance 1 and the rest 1 - shift; in new trials
    (condition 1) it is the other way round. At shift 1 a summary that is fitted on the training trials has never seen
    the rest: it explains all that varies there, and nothing of what the same neurons encode elsewhere. That is the
    interpretability illusion of low-dimensional summaries (Friedman et al. 2023, arXiv 2312.03656, of language models;
    Bolukbasi et al. 2021). At shift 0 both sets are alike: the control. Weights are drawn as those of `latent_factors`.

    The experimenter knows the condition of each trial, not the features. Truths: `latents` s with the `condition` of
    each trial; `dimensionality` the number of features that vary in either.
    """

    name: ClassVar[str] = "shifted_stimuli"
    mechanism: ClassVar[str] = "linear code of stimulus features"
    questions: ClassVar[tuple[str, ...]] = ("dimensionality", "latents", "connectivity")

    n_neurons: Annotated[int, Within(2, 10_000)] = 80
    features: Annotated[int, Within(2, 100)] = 4
    trained: Annotated[int, Within(1, 100)] = 2  # of the features, those that vary in training
    shift: Share = 0.95
    """0: both conditions have the same stimuli; 1: a feature that varies in one does not in the other."""
    time_constant: TimeConstant = 0.2  # s
    rate: Rate = 10.0  # Hz, median over neurons of b
    rate_spread: Spread = 0.5  # standard deviation of log b over neurons
    depth: Depth = 0.8  # of the modulation by a feature of variance 1 that a neuron reads alone
    step: BinStep = 0.01  # s in which rates are constant
    model: Model = "spiking"  # or "rate"

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            self.trained < self.features <= self.n_neurons,
            f"need trained < features <= n_neurons, got {self.trained}, {self.features} and {self.n_neurons}",
        )

    @property
    def modalities(self) -> tuple[str, ...]:
        """What its activity holds."""
        return ("spikes",) if self.model == "spiking" else ("rate",)

    def subject(self, rng: np.random.Generator) -> Population:
        """One individual: its neurons' mean rates and readout weights."""
        weights = rng.standard_normal((self.n_neurons, self.features))
        weights /= np.linalg.norm(weights, axis=1, keepdims=True)
        base = log_normal_rates(self.n_neurons, self.rate, self.rate_spread, rng)
        return Population.placed(self, {"base": base, "weights": weights}, rng)

    def task(self, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Half of the trials, rounded up, with training stimuli, in random order."""
        conditions = rng.permutation(np.arange(trials) % 2)
        return Session(trials, duration, conditions=tuple(conditions.tolist()))

    def course(self, individual: Mapping[str, np.ndarray], session: Session, rng: np.random.Generator) -> Course:
        """Features and rates of a session; trials without a condition have training stimuli."""
        shape = (session.trials, n_bins(session.duration, self.step), self.features)
        condition = np.zeros(session.trials, int) if session.conditions is None else np.array(session.conditions)
        spread = self.spread()[np.minimum(condition, NEW)][:, None]
        shown = spread * stationary(shape, self.step, self.time_constant, "gaussian", rng)
        weights = self.depth * individual["weights"]
        mean = (np.square(weights) @ np.square(spread[:, 0]).T).T[:, None] / 2
        return Course(shown, individual["base"] * np.exp(shown @ weights.T - mean))

    def spread(self) -> np.ndarray:
        """(condition, feature): standard deviations of the features."""
        minor = np.sqrt(1 - self.shift)
        first = np.arange(self.features) < self.trained
        return np.where(np.stack([first, ~first]), 1.0, minor)

    def dimensions(self) -> dict[str, int]:
        """All features: each varies in one of the conditions."""
        number = self.features if self.depth > 0 else 0
        return {"linear": number, "intrinsic": number}
