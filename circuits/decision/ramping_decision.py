"""A decision by ramps: in each trial the rates follow evidence that accumulates with noise until it meets a bound."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

import numpy as np

from circuits.decision import diffusion, task
from circuits.decision.driven_decision import (
    Depths,
    Drift,
    DrivenSubject,
    Irregularity,
    MeanRate,
    Memory,
    Size,
    Spread,
)
from circuits.decision.task import Coherences
from simlab.contracts import Regime
from simlab.rules import Within, check_fields, require
from simlab.session import Session


@dataclass(frozen=True)
class RampingDecision:
    """Neurons whose rates follow a drift-diffusion between two bounds, at which it stays.

        dx = drift_gain c dt + diffusion dW,   x(onset) = 0,   absorbed at -1 (left) and 1 (right)

    The ramping model of Latimer et al. (2015, Science 349:184), with a bound on either side and a baseline above zero,
    as Zylberberg & Shadlen (2016, bioRxiv 085886) and Zoltowski et al. (2019, Neuron 102:1249) ask of it. How neurons
    follow x, and the drift of their baselines over trials: `circuits.decision.driven_decision`. x is accumulated
    elsewhere and these neurons follow it, so that their dynamics are `driven`.

    A trial that has not met a bound by its end chooses what it would have met.
    """

    name: ClassVar[str] = "ramping_decision"
    mechanism: ClassVar[str] = "ramping"
    questions: ClassVar[tuple[str, ...]] = ("dynamics", "latents", "connectivity")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)
    regime: ClassVar[Regime] = Regime(
        "area LIP in this task: 10 to 60 Hz, counts somewhat more variable than Poisson (Roitman & Shadlen 2002; "
        "Churchland et al. 2011, Neuron 69:818)",
        rate=(5, 60), silent=(0, 0.1), interval_cv=(0.5, 2.0), fano=(0.5, 3.0), correlation=(-0.1, 0.3),
    )  # fmt: skip

    n_neurons: Size = 60
    coherences: Coherences = (0.032, 0.064, 0.128)
    drift_gain: Annotated[float, Within(0, 200, "1/s")] = 15.0
    """Bounds per second and unit of coherence: 70 to 98% right, as animals are."""
    diffusion: Annotated[float, Within(0.1, 10)] = 1.4
    """Bounds per root second: without evidence a bound is met in 1/diffusion^2 = 0.5 s on average (Kiani et al. 2008,
    J Neurosci 28:3017, find decisions to end long before the stimulus does)."""
    mean_rate: MeanRate = 20.0  # Hz, of neurons at x = 0 (Roitman & Shadlen 2002: 20 to 40 Hz)
    rate_spread: Spread = 0.4  # standard deviation of log rates over neurons
    depths: Depths = (0.4, 0.8)  # how far a neuron's rate goes up and down, as a share of its rate at x = 0
    interval_cv: Irregularity = 1.0
    baseline_drift: Drift = 0.1
    """Standard deviation over trials of each baseline's logarithm: gains vary by .1 and more (Goris et al. 2014)."""
    drift_memory: Memory = 20.0  # trials over which it wanders

    def __post_init__(self) -> None:
        check_fields(self)
        require(self.depths[0] <= self.depths[1], f"depths must be (least, most), got {self.depths}: swap them")

    def prior(self, rng: np.random.Generator) -> RampingDecision:
        """Accumulation and rates within what is reported: bounds met in 0.25 to 0.7 s, rates of 12 to 30 Hz."""
        return replace(
            self, diffusion=float(rng.uniform(1.2, 2.0)), drift_gain=float(rng.uniform(10, 20)),
            mean_rate=float(rng.uniform(12, 30)), baseline_drift=float(rng.uniform(0.0, 0.3)),
        )  # fmt: skip

    def subject(self, rng: np.random.Generator) -> DrivenSubject:
        """One population."""
        return DrivenSubject.drawn(self.name, self, self.paths, rng)

    def paths(self, session: Session, starts: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """x (trial, step) and the choices (trial,) of a session, at the starts of steps [s]."""
        drift = self.drift_gain * task.evidence(session, starts)
        x = diffusion.paths(drift, self.diffusion, rng)
        last = np.nan_to_num(drift[:, -1])
        right = rng.random(len(x)) < diffusion.right_from(x[:, -1], last, self.diffusion)
        return x, np.where(right, 1.0, -1.0)
