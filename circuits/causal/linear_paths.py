"""Subjects whose units are linear in one another and drive one behaviour: what every set of them achieves is analytic.

    z_j = a_j x(t) + sum_i s_i W_ij + drive_j + mean_j(e) + scale_j(e) noise_j xi_j,   rate_j = baseline + gain z_j

x is the stimulus, e the condition of the trial (its environment), xi standard normal and drawn once for each trial, z_j
the deviation of a unit from its baseline in units of `gain` Hz, and s_i = g_i (z_i + z0) - z0 what others hear of it,
with z0 = baseline / gain and g_i the gain of its synapses. The behaviour y is one more variable of the same kind, the
last one of W, that has no rate; W has no cycle. A rate cannot fall below 0. A drive of one rheobase changes a rate by
`RHEOBASE` of the baseline.

The outcome of a trial is 1 where the sign of the mean behaviour, from `ONSET` on, is that of its target, 0 where it is
the other one, and 1/2 where either is 0. The target is x, where there is a stimulus, else what the causes of the
behaviour make of it in the trial if nobody interferes: y without its own noise.

**Two ways to take a unit out.** A unit that is held at its baseline no longer says anything (mean ablation); one that
is silenced says, by 0 Hz, something that it never says by itself (zero ablation), and disturbs whatever reads it, also
where its own variation does nothing. `ablation` says which one the game v(S) is of; on the rates of neurons the first
is the role of a unit in the natural task. That results of the two differ: Chan et al. 2022 (causal scrubbing); Li &
Janson 2024 (NeurIPS: optimal ablation).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal

import numpy as np
import xarray as xr

from simlab import truths
from simlab.coalitions import members
from simlab.data import activity, anatomy
from simlab.rules import Within
from simlab.session import Session, Stimulus
from simlab.simulators.clocked import segments
from simlab.simulators.effects import drive_at, engine_effects, gain_at, hold_at

STEP = 10e-3
"""s, of a sample: what is done to the subject takes effect from one to the next."""

ONSET = 0.2
"""Of the stimulus, as a share of the trial."""

RHEOBASE = 0.5
"""Of the baseline rate, by which a drive of one rheobase changes it: to silence (-10) leaves nothing of it."""

TISSUE = 1e-3
"""Edge [m] of the cube in which the units lie at random: their places tell nothing of their roles."""

Ablation = Literal["mean", "zero"]
Baseline = Annotated[float, Within(5, 200, "Hz")]
Gain = Annotated[float, Within(0.1, 20, "Hz")]
"""Of a unit's rate per unit of z."""


@dataclass(frozen=True, eq=False)
class Model:
    """The equations; the behaviour is the last variable of those that have one entry more than there are units."""

    weights: np.ndarray  # W (pre, post), both with the behaviour
    shown: np.ndarray  # a (unit,)
    noise: np.ndarray  # (variable,) standard deviation
    mean: np.ndarray  # (environment, variable): what an environment adds
    scale: np.ndarray  # (environment, variable): by what it multiplies the noise
    baseline: float  # Hz
    gain: float  # Hz
    stimuli: tuple[float, ...] = ()  # x of each condition; () where nothing is shown and conditions are environments

    @property
    def n_units(self) -> int:
        """How many units there are."""
        return len(self.weights) - 1

    @property
    def n_conditions(self) -> int:
        """Stimuli, or environments where nothing is shown."""
        return len(self.stimuli) or len(self.mean)

    @property
    def z0(self) -> float:
        """The baseline in units of z."""
        return self.baseline / self.gain

    @cached_property
    def order(self) -> list[int]:
        """The variables, each after all that it hears."""
        left, found = list(range(len(self.weights))), []
        while left:
            free = [j for j in left if not self.weights[left, j].any()]
            found += free
            left = [j for j in left if j not in free]
        return found

    def solved(self, own: np.ndarray, held: np.ndarray, factor: np.ndarray) -> np.ndarray:
        """All variables (..., variable) of what comes from outside, own (..., variable); held: z or NaN.

        factor (..., pre, post): on the synapses among units and from them to the behaviour.
        """
        z, n = np.array(own, dtype=float), self.n_units
        for j in self.order:
            for i in np.flatnonzero(self.weights[:, j]):
                said = z[..., i] if i == n else factor[..., i, j] * (z[..., i] + self.z0) - self.z0
                z[..., j] += self.weights[i, j] * said
            if j < n:
                z[..., j] = np.where(np.isnan(held[..., j]), np.maximum(z[..., j], -self.z0), held[..., j])
        return z


@dataclass(frozen=True, eq=False)
class LinearSubject:
    """One animal with these equations; tissue: (unit, 3) [m]."""

    name: str
    model: Model
    tissue: np.ndarray
    ablation: Ablation = "mean"

    @cached_property
    def anatomy(self) -> xr.Dataset:
        """Units at random places of one region."""
        return anatomy(self.tissue, ["E"] * self.model.n_units)

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Every condition as often as any other, in a random order; x from `ONSET` on, where there is a stimulus."""
        condition = rng.permutation(np.arange(trials) % self.model.n_conditions)
        if not self.model.stimuli:
            return Session(trials, duration, conditions=tuple(condition.tolist()))
        values = np.repeat(np.array(self.model.stimuli)[condition][:, None, None], round(1 / ONSET), axis=1)
        values[:, 0] = np.nan
        return Session(trials, duration, Stimulus(("x",), values, duration * ONSET), tuple(condition.tolist()))

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """Rates of the units, the behaviour over time, each trial's outcome."""
        model, n_steps = self.model, max(1, round(session.duration / STEP))
        xi = rng.standard_normal((session.trials, len(model.noise)))
        x, environment = self._shown(session, n_steps), self._environments(session)
        noise = model.scale[environment] * model.noise * xi
        own = np.repeat((model.mean[environment] + noise)[:, None, :], n_steps, axis=1)
        own[:, :, :-1] += x[:, :, None] * model.shown
        z, heard = self._disturbed(own, session, n_steps), slice(int(ONSET * n_steps), None)
        target = x[:, heard].mean(axis=1) if model.stimuli else self._undisturbed(own[:, -1]) - noise[:, -1]
        right = np.sign(z[:, heard, -1].mean(axis=1)) * np.sign(target)
        return activity(
            session, model.n_units,
            rate=model.baseline + model.gain * z[:, :, :-1],
            time=STEP * np.arange(n_steps),
            behaviour=z[:, :, -1:],
            outcome=(1 + right) / 2,
        ).assign_attrs(engine=f"numpy {np.__version__}")  # fmt: skip

    def _shown(self, session: Session, n_steps: int) -> np.ndarray:
        """x (trial, step); 0 while nothing is shown."""
        if not self.model.stimuli or session.stimulus is None:
            return np.zeros((session.trials, n_steps))
        values, interval = session.stimulus.values[:, :, 0], session.stimulus.interval
        when = np.minimum(((np.arange(n_steps) + 0.5) * STEP / interval).astype(int), values.shape[1] - 1)
        return np.nan_to_num(values[:, when])

    def _environments(self, session: Session) -> np.ndarray:
        if self.model.stimuli or session.conditions is None:
            return np.zeros(session.trials, dtype=int)
        return np.asarray(session.conditions) % len(self.model.mean)

    def _undisturbed(self, own: np.ndarray) -> np.ndarray:
        """The behaviour (trial,) if nobody interferes."""
        n = self.model.n_units
        return self.model.solved(own, np.full((len(own), n), np.nan), np.ones((1, n + 1, n + 1)))[:, n]

    def _disturbed(self, own: np.ndarray, session: Session, n_steps: int) -> np.ndarray:
        """The variables (trial, step, variable) under the session's effects."""
        model, n = self.model, self.model.n_units
        effects, trials = engine_effects(session, n, STEP), np.arange(session.trials)
        pre, post = (index.ravel() for index in np.indices((n, n)))
        z = np.empty_like(own)
        for begin, end, now in segments(effects, n_steps, STEP) if effects else [(0, n_steps, 0.0)]:
            part = own[:, begin:end].copy()
            part[:, :, :-1] += drive_at(effects, now, trials, n)[:, None, :] * RHEOBASE * model.z0
            held = (hold_at(effects, now, trials, n)[:, None, :] - model.baseline) / model.gain
            factor = np.ones((session.trials, 1, n + 1, n + 1))
            factor[:, 0, :n, :n] = gain_at(effects, now, trials, pre, post).reshape(-1, n, n)
            factor[:, 0, :n, n] = _to_behaviour(effects, now, trials, n)
            z[:, begin:end] = model.solved(part, held, factor)
        return z

    @cached_property
    def values(self) -> np.ndarray:
        """(set,) the expected outcome with every set of units intact, the others taken out; `simlab.coalitions`."""
        return np.array([self._achieved(intact) for intact in members(self.model.n_units)])

    def _achieved(self, intact: np.ndarray) -> float:
        """Of one set of units (unit,), averaged over the conditions: y and its target are jointly normal."""
        model, n = self.model, self.model.n_units
        out = np.append(~intact, False)
        level = -model.z0 if self.ablation == "zero" else 0.0
        kept = np.where(out[:, None] | out[None], 0.0, model.weights)
        to_y = np.linalg.inv(np.eye(n + 1) - kept)[:, n] * ~out  # what an input to each variable does to y
        offset = level * (model.weights[out] @ to_y).sum()
        free = np.linalg.inv(np.eye(n + 1) - model.weights)[:, n]
        free[n] = 0.0 if model.stimuli else free[n]
        scores = []
        for number in range(model.n_conditions):
            e = 0 if model.stimuli else number
            x = model.stimuli[number] * np.append(model.shown, 0.0) if model.stimuli else np.zeros(n + 1)
            sd = model.scale[e] * model.noise
            own, said = to_y * sd, np.append(free[:n] * sd[:n], 0.0)  # loadings of y and of its target on the noise
            y = to_y @ (model.mean[e] + x) + offset
            if model.stimuli:
                scores.append(agreement(y, np.sqrt(own @ own), model.stimuli[number], 0.0, 0.0))
            else:
                spread = np.sqrt(own @ own), np.sqrt(said @ said)
                scores.append(agreement(y, spread[0], free @ model.mean[e], spread[1], float(own @ said)))
        return float(np.mean(scores))

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`necessity` and `circuit`: the expected outcome of every set of units, analytic; `connectivity`: their W."""
        answers: dict[str, Callable[[], xr.Dataset]] = {
            "necessity": lambda: truths.game(self.values),
            "circuit": lambda: truths.game(self.values),
            "connectivity": lambda: truths.wiring(self.model.weights[:-1, :-1], "1"),
        }
        return truths.among(self.name, question, answers)


def _to_behaviour(effects: tuple, now: float, trials: np.ndarray, n: int) -> np.ndarray:
    """(trial, unit): the gain of each unit's synapses as a whole, which those onto the behaviour have too."""
    everywhere = tuple(effect for effect in effects if effect.over == "neuron")
    return gain_at(everywhere, now, trials, np.arange(n), np.zeros(n, dtype=int))


def agreement(y: float, y_sd: float, target: float, target_sd: float, covariance: float) -> float:
    """The expected outcome: the chance that two jointly normal numbers have one sign, where a 0 counts by halves."""
    from scipy.special import ndtr

    if min(y_sd, target_sd) <= 1e-12:
        up = [float(ndtr(m / s)) if s > 1e-12 else (1 + np.sign(m)) / 2 for m, s in ((y, y_sd), (target, target_sd))]
        return float(up[0] * up[1] + (1 - up[0]) * (1 - up[1]))
    h, k = 0.0 - y / y_sd, 0.0 - target / target_sd  # never the negative zero, of which 1 / h has the other sign
    rho = np.clip(covariance / (y_sd * target_sd), -1 + 1e-12, 1 - 1e-12)
    both_below = _below(h, k, float(rho))
    return float(1 - ndtr(h) - ndtr(k) + 2 * both_below)


def _below(h: float, k: float, rho: float) -> float:
    """P(X <= h, Y <= k) of standard normal X, Y of this correlation, by Owen's T (Owen 1956)."""
    from scipy.special import ndtr, owens_t

    if h == k == 0:
        return 0.25 + np.arcsin(rho) / (2 * np.pi)
    root = np.sqrt(1 - rho**2)
    with np.errstate(divide="ignore"):
        slopes = np.divide(k - rho * h, h * root), np.divide(h - rho * k, k * root)
    half = 0.5 if h * k < 0 or (h * k == 0 and h + k < 0) else 0.0
    return float((ndtr(h) + ndtr(k)) / 2 - owens_t(h, slopes[0]) - owens_t(k, slopes[1]) - half)
