"""The regime 'bistable' from linear dynamics that switch: two maps, each with a resting state of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.dynamics._switching import Regimes, fitted
from methods.population._population import principal_components, smoothed, unusable
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level, Repeats, Width

LABEL = "bistable"
SURE = 2.0
"""Standard errors, over trials, by which two regimes must predict better than one."""


@dataclass(frozen=True)
class SwitchingLds:
    """Says bistable if two linear regimes predict new trials better than one, and each comes to rest, apart.

    An autoregressive hidden Markov model (`methods.dynamics._switching`; the discrete part of switching linear
    dynamical systems: Ghahramani & Hinton 2000, Neural Comput 12:831; Linderman et al. 2017, AISTATS) of the first
    principal components of smoothed activity. Two regimes describe anything better that is not linear and Gaussian, a
    wandering input as well: it rises in one and falls in the other, and turns long before it has arrived. A state is
    where activity comes to rest. So each regime must last, on average, longer than its slowest time constant. If it
    lasted for ever it would settle about its fixed point (I - A)^-1 b, with the covariance that its noise keeps up:
    along the line between the two points, these spreads must leave a gap, Ashman's D = |difference| / root mean square
    of both sd >= `apart` (Ashman, Bird & Zepf 1994, Astron J 108:2348: 2 for two modes). And either must take `rarest`
    of the time. An input that has two levels passes too: passive data cannot tell. Of 40 wandering inputs (square-root
    processes of relative variance .1 to 1; 20 trials of 5 s) none did; without smoothing, a skewed one may.

    Abstains otherwise: one linear regime may be a fixed point, or an input that wanders. Our own: the libraries of
    switching systems need jax and nightly builds, or do not build. Cost: a second for 50 trials of 4 s.
    """

    name: ClassVar[str] = "switching_lds"
    question: ClassVar[str] = "dynamics"
    family: ClassVar[str] = "state space"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(units=5, trials=6, seconds=10.0)

    bin_width: Width = 0.05  # s
    smoothing: Width = 0.05  # s, of the Gaussian kernel
    n_components: Annotated[int, Within(1, 20)] = 2
    n_folds: Annotated[int, Within(2, 20)] = 3
    rounds: Repeats = 30  # of expectation maximisation
    apart: Annotated[float, Within(0, 100)] = 2.0  # Ashman's D
    rarest: Level = 0.05  # share of the time that either regime takes, at least

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The label or an abstention; notes: gain in nats per trial, D, time constants and dwell times [s], shares."""
        refusal = unusable(recording, self.needs)
        if refusal is not None:
            return refusal
        values, step = smoothed(recording, self.bin_width, self.smoothing)
        every = max(1, round(self.bin_width / step))  # of a signal's samples, which may be many
        x, step = _components(values[:, ::every], self.n_components), step * every
        if isinstance(x, Finding):
            return x
        gain, z = self._gain(x)
        if not z > SURE:
            return Finding.abstain(f"one linear regime predicts as well as two: {gain:.3g} nats per trial, z = {z:.2g}")
        regimes, chance = fitted(x, 2, self.rounds)
        share, d = chance.mean(axis=(0, 1)), separation(regimes)
        dwell, settling = step * regimes.dwell, step * regimes.time_constants
        if share.min() < self.rarest:
            return Finding.abstain(f"the second regime takes {share.min():.2g} of the time: too rare to be a state")
        if (dwell < settling).any():
            k = int((dwell - settling).argmin())
            return Finding.abstain(
                f"a regime lasts {dwell[k]:.2g} s and would settle within {settling[k]:.2g} s: no rest"
            )
        if not d >= self.apart:
            return Finding.abstain(f"two regimes that do not rest apart: D = {d:.2g}, less than {self.apart:g}")
        notes = {"gain": gain, "d": d, "shares": share.tolist()}
        notes |= {"dwell": dwell.tolist(), "time_constants": settling.tolist()}
        return Finding({"label": LABEL}, confidence=float(np.clip(d / (d + self.apart), 0.5, 0.95)), notes=notes)

    def _gain(self, x: np.ndarray) -> tuple[float, float]:
        """Nats per left-out trial by which two regimes predict better than one, and that over its standard error."""
        fold = np.arange(len(x)) % self.n_folds
        gains = np.empty(len(x))
        for k in range(self.n_folds):
            one, two = (fitted(x[fold != k], number, self.rounds)[0] for number in (1, 2))
            gains[fold == k] = two.likelihood(x[fold == k]) - one.likelihood(x[fold == k])
        error = gains.std(ddof=1) / np.sqrt(len(gains))
        return float(gains.mean()), float(gains.mean() / max(error, 1e-12))


def separation(regimes: Regimes) -> float:
    """Ashman's D of the resting states of two regimes, along the line between them; 0 where one does not settle."""
    first, second = regimes.rest(0), regimes.rest(1)
    if first is None or second is None:
        return 0.0
    between = second[0] - first[0]
    size = float(np.linalg.norm(between))
    along = between / max(size, 1e-12)
    return size / float(np.sqrt((along @ first[1] @ along + along @ second[1] @ along) / 2))


def _components(values: np.ndarray, number: int) -> np.ndarray | Finding:
    """(trial, time, component) of active units' values, the first one with variance 1; or an abstention."""
    flat = values.reshape(-1, values.shape[2])
    if values.shape[1] < 4:
        return Finding.abstain(f"needs trials of 4 bins, got {values.shape[1]}")
    scores = principal_components(flat, min(number, flat.shape[1]))
    return np.asarray((scores / max(scores[:, 0].std(), 1e-12)).reshape(*values.shape[:2], -1))
