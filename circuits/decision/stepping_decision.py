"""The rival of ramps: rates that step once, at a random time, and whose average over trials is that of the ramps."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from circuits.decision import diffusion, task
from circuits.decision.driven_decision import DrivenSubject
from circuits.decision.ramping_decision import RampingDecision
from simlab.contracts import Regime
from simlab.rules import check_fields
from simlab.session import Session


@dataclass(frozen=True)
class SteppingDecision:
    """As `ramping_decision`, but x is 0 until it jumps to -1 or 1, where it stays.

        P(x = 1 by t | coherence, choice right) = E[x_ramp(t) | coherence, choice right],   likewise to the left

    The stepping model of Latimer et al. (2015, Science 349:184), whose steps' times are not a parametric family but
    those that make the trial average, for every coherence and either choice, that of the ramps: a mean path between two
    levels that only rises is the distribution of the times at which a step would have been taken. Choices are as often
    right. Rates follow x linearly (without drift of the baseline they never meet zero), so that peri-stimulus time
    histograms are the same, and so are mean rates and, without evidence, variances and covariances over time: both x
    are martingales then (`tests`), which is why the variance of the conditional expectation cannot tell them apart.

    The matching distribution is computed (`circuits.decision.diffusion.mean_to_bound`), not fitted.
    """

    name: ClassVar[str] = "stepping_decision"
    mechanism: ClassVar[str] = "stepping"
    twin_of: ClassVar[tuple[str, ...]] = ("ramping_decision",)
    questions: ClassVar[tuple[str, ...]] = RampingDecision.questions
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)
    regime: ClassVar[Regime] = RampingDecision.regime

    like: RampingDecision = field(default_factory=RampingDecision)  # the ramps whose averages it has

    def __post_init__(self) -> None:
        check_fields(self)

    def imitating(self, circuit: RampingDecision) -> SteppingDecision:
        """A copy whose averages are those of this circuit."""
        return replace(self, like=circuit)

    def prior(self, rng: np.random.Generator) -> SteppingDecision:
        """That of the ramps."""
        return replace(self, like=self.like.prior(rng))

    def subject(self, rng: np.random.Generator) -> DrivenSubject:
        """One population, with the rates and depths of a `ramping_decision` of the same stream."""
        return DrivenSubject.drawn(self.name, self.like, self.paths, rng)

    def paths(self, session: Session, starts: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """x (trial, step) and the choices (trial,) of a session, at the starts of steps [s].

        A trial whose evidence changes has the steps of its mean; one without evidence none.
        """
        shown = task.evidence(session, starts)
        seen = ~np.isnan(shown)
        level = np.array([np.mean(row[there]) if there.any() else 0.0 for row, there in zip(shown, seen, strict=True)])
        side, when = rng.random(len(level)), rng.random(len(level))
        x, choice = np.zeros(shown.shape), np.empty(len(level))
        for coherence in np.unique(level):
            mine = level == coherence
            x[mine], choice[mine] = self._stepped(float(coherence), seen[mine], side[mine], when[mine])
        return x, choice

    def _stepped(
        self, coherence: float, seen: np.ndarray, side: np.ndarray, when: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The same for trials (trial,) of one coherence: seen (trial, step), and the even draws that decide."""
        drift, noise = self.like.drift_gain * coherence, self.like.diffusion
        right, mean_right = diffusion.mean_to_bound(drift, noise, seen.shape[1])
        _, mean_left = diffusion.mean_to_bound(-drift, noise, seen.shape[1])
        choice = np.where(side < right, 1.0, -1.0)
        done = np.concatenate([[0.0], mean_right]), np.concatenate([[0.0], mean_left])
        elapsed = np.cumsum(seen, axis=1)  # steps since the evidence began, this one included
        by_now = np.where(choice[:, None] > 0, done[0][elapsed], done[1][elapsed])
        return np.where(when[:, None] < by_now, choice[:, None], 0.0), choice
