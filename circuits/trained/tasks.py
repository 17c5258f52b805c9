"""The tasks that networks are trained on: what is shown, what is wanted of the report, and when a trial is right.

Each task draws sessions for the lab, and is trained on the very same sessions. A report z(t) is read from the network
all the time; what counts for a trial's outcome is its mean over the last `READ` seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from circuits.decision import task as decisions
from circuits.memory.remembered import CUE, value_session
from circuits.trained.training import STEP, Batch
from simlab.rules import Within, check_fields
from simlab.session import Session, Stimulus, sampled

READ = 0.1
"""s, at the end of a trial, in which the report is read (perceptual decisions of NeuroGym: 100 ms)."""

FRAME = 0.1
"""s, for how long one sample of noisy evidence stands (NeuroGym's step)."""

Coherence = Annotated[float, Within(0, 5)]
Coherences = tuple[Coherence, Coherence, Coherence]
FrameNoise = Annotated[float, Within(0, 10)]
Length = Annotated[float, Within(0.5, 5, "s")]
"""Of the trials that a network is trained on."""

SCALE = 4.0
"""1/s: the report that is wanted per unit of evidence and second, which keeps it between -1 and 1, mostly."""


def frames(duration: float) -> tuple[int, int, float]:
    """How many frames a trial of this length [s] has, how many of them come before the evidence (a fifth of a second,
    or of a short trial), and how long [s] each is."""
    number = max(5, round(duration / FRAME))
    return number, round(decisions.ONSET * min(duration, 1.0) * number / duration), duration / number


def read(output: np.ndarray) -> np.ndarray:
    """(trial,): the mean of a report (trial, time), every `STEP`, over the last `READ` seconds."""
    return np.asarray(output[:, -max(1, round(READ / STEP)) :].mean(axis=1))


def each_step(session: Session, feature: str) -> np.ndarray:
    """A feature (trial, step) every `STEP` [s] of a session; 0 where nothing is shown."""
    shown = session.stimulus
    if shown is not None and len(shown.features) > 1 and feature in shown.features:
        which = shown.features.index(feature)
        alone = Stimulus((feature,), shown.values[:, :, [which]], shown.interval)
        session = Session(session.trials, session.duration, alone)
    return np.nan_to_num(sampled(session, feature, STEP, f"this task shows '{feature}'"))


@dataclass(frozen=True)
class Evidence:
    """Which side does noisy evidence favour? Frames of coherence + noise, from a fifth of a second on to the end.

    The report that is wanted is the sum so far, `SCALE` times the integral of the evidence; its sign is the choice. As
    PerceptualDecisionMaking of NeuroGym (Molano-Mazon et al. 2022): the difference of its two inputs has the coherence
    for a mean, and noise of .2 in a frame of 100 ms.
    """

    features: ClassVar[tuple[str, ...]] = ("evidence",)

    coherences: Coherences = (0.032, 0.064, 0.128)  # the low ones of there: with .256 hardly a trial goes wrong in 1 s
    noise: FrameNoise = 0.2  # sd of a frame
    duration: Length = 1.0  # s (there: 2 s)

    def __post_init__(self) -> None:
        check_fields(self)

    def session(self, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Every signed coherence as often as any other; `condition` is its number."""
        levels, (number, before, width) = decisions.signed(self.coherences), frames(duration)
        condition = rng.permutation(np.arange(trials) % len(levels))
        shown = levels[condition][:, None] + self.noise * rng.standard_normal((trials, number))
        shown[:, :before] = np.nan
        return Session(trials, duration, Stimulus(self.features, shown[:, :, None], width), tuple(condition.tolist()))

    def inputs(self, session: Session) -> np.ndarray:
        """(trial, step, 1)."""
        return each_step(session, "evidence")[:, :, None]

    def batch(self, trials: int, rng: np.random.Generator) -> Batch:
        """What a step of training is shown, and what is wanted of it."""
        inputs = self.inputs(self.session(trials, self.duration, rng))
        target = SCALE * STEP * np.cumsum(inputs[:, :, 0], axis=1)
        return inputs, target, np.ones(target.shape)

    def best(self) -> float:
        """The share of right trials of one who adds up everything that is shown, exact: a mean of normal laws."""
        from scipy.stats import norm

        number, before, _ = frames(self.duration)
        spread = max(self.noise, 1e-12) / np.sqrt(number - before)
        return float(np.mean(norm.cdf(np.asarray(self.coherences) / spread)))

    def right(self, session: Session) -> np.ndarray:
        """(trial,) the right side, -1 or 1: of the coherence where conditions say it, else of what was shown."""
        if session.conditions is None:
            return decisions.right_side(session)
        levels = decisions.signed(self.coherences)
        return np.where(levels[np.asarray(session.conditions) % len(levels)] < 0, -1.0, 1.0)

    def outcome(self, session: Session, output: np.ndarray) -> np.ndarray:
        """(trial,) 1 where the sign of the report is that of the coherence, of reports (trial, step)."""
        return (np.sign(read(output)) == self.right(session)).astype(float)

    def probes(self) -> np.ndarray:
        """Inputs (probe, step, 1) without noise that leave a network in states all along its range, and half a second
        of nothing after them."""
        levels = np.linspace(-1, 1, 9) / (SCALE * self.duration)
        shown, dark = (round(seconds / STEP) for seconds in (self.duration, 0.5))
        return np.concatenate([np.tile(levels[:, None], (1, shown)), np.zeros((9, dark))], axis=1)[:, :, None]


@dataclass(frozen=True)
class Value:
    """Hold a value: it is shown for a quarter of a second, and is to be reported from then on to the trial's end.

    A delayed report of an amplitude, as in Romo et al. 1999 (Nature 399:470) or the graded tasks of Orhan & Ma 2019
    (Nat Neurosci 22:275), with a fixed delay.
    """

    features: ClassVar[tuple[str, ...]] = ("value",)

    tolerance: Annotated[float, Within(0.01, 1)] = 0.25  # a report so near to the value is right
    duration: Length = 2.0  # s

    def __post_init__(self) -> None:
        check_fields(self)

    def session(self, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """A value between -1 and 1 in the first quarter of a second; see `circuits.memory.remembered`."""
        return value_session(trials, duration, rng)

    def inputs(self, session: Session) -> np.ndarray:
        """(trial, step, 1)."""
        return each_step(session, "value")[:, :, None]

    def batch(self, trials: int, rng: np.random.Generator) -> Batch:
        """What a step of training is shown; what is wanted of it from 0.1 s after the cue on."""
        session = self.session(trials, self.duration, rng)
        inputs = self.inputs(session)
        wanted = np.arange(inputs.shape[1]) * STEP >= CUE + 0.1
        target = np.tile(self._shown(session)[:, None], (1, inputs.shape[1]))
        return inputs, target, np.broadcast_to(wanted.astype(float), target.shape)

    def outcome(self, session: Session, output: np.ndarray) -> np.ndarray:
        """(trial,) 1 where the report at the end is within the tolerance, of reports (trial, step)."""
        return (np.abs(read(output) - self._shown(session)) <= self.tolerance).astype(float)

    def best(self) -> float:
        """The share of right trials of one who forgets nothing."""
        return 1.0

    def _shown(self, session: Session) -> np.ndarray:
        """(trial,) the last value shown; 0 where none was."""
        if session.stimulus is None:
            return np.zeros(session.trials)
        values = session.stimulus.values[:, :, 0]
        seen = np.isfinite(values)
        last = values[np.arange(len(values)), values.shape[1] - 1 - np.argmax(seen[:, ::-1], axis=1)]
        return np.where(seen.any(axis=1), last, 0.0)

    def probes(self) -> np.ndarray:
        """Inputs (probe, step, 1): nine values all along the range, and then half of the delay."""
        dark = round((self.duration - CUE) / 2 / STEP)
        shown = np.tile(np.linspace(-1, 1, 9)[:, None], (1, round(CUE / STEP)))
        return np.concatenate([shown, np.zeros((9, dark))], axis=1)[:, :, None]


@dataclass(frozen=True)
class TwoSources:
    """Noisy motion and noisy colour at once, and a context that says which of them counts: its sign is the choice.

    As in Mante et al. 2013 (Nature 503:78) and ContextDecisionMaking of NeuroGym: coherences of .05, .15 and .5 of
    either sense, independent of each other, and noise of .14 in a frame of 100 ms. The context, 1 for motion and -1
    for colour, is on throughout. The report that is wanted is the sum so far of the sense that counts, `SCALE` times
    its integral, between bounds at -1 and 1.
    """

    features: ClassVar[tuple[str, ...]] = ("motion", "colour", "context")

    coherences: Coherences = (0.05, 0.15, 0.5)
    noise: FrameNoise = 0.14  # sd of a frame
    duration: Length = 1.0  # s (there: 750 ms of both senses, and a delay)

    def __post_init__(self) -> None:
        check_fields(self)

    def session(self, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Either context in half of the trials, with every pair of coherences as often as any other, as far as they go,
        in a random order."""
        levels, (number, before, width) = decisions.signed(self.coherences), frames(duration)
        pairs = len(levels) ** 2
        cycles = [np.concatenate([rng.permutation(pairs) for _ in range(trials // pairs + 1)]) for _ in range(2)]
        condition = rng.permutation([k % 2 * pairs + cycles[k % 2][k // 2] for k in range(trials)])
        context, motion, colour = self._meaning(condition)
        both = np.stack([motion, colour], axis=1)[:, None, :] + self.noise * rng.standard_normal((trials, number, 2))
        both[:, :before] = np.nan
        told = np.broadcast_to(context[:, None, None], (trials, number, 1))
        shown = np.concatenate([both, told], axis=2)
        return Session(trials, duration, Stimulus(self.features, shown, width), tuple(condition.tolist()))

    def _meaning(self, condition: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of numbers of conditions (trial,): the context, and the signed coherences of motion and of colour."""
        levels = decisions.signed(self.coherences)
        context, pair = np.divmod(condition % (2 * len(levels) ** 2), len(levels) ** 2)
        motion, colour = np.divmod(pair, len(levels))
        return np.where(context == 0, 1.0, -1.0), levels[motion], levels[colour]

    def inputs(self, session: Session) -> np.ndarray:
        """(trial, step, 3)."""
        return np.stack([each_step(session, feature) for feature in self.features], axis=2)

    def batch(self, trials: int, rng: np.random.Generator) -> Batch:
        """What a step of training is shown, and what is wanted of it."""
        inputs = self.inputs(self.session(trials, self.duration, rng))
        counts = np.where(inputs[:, :, 2] > 0, inputs[:, :, 0], inputs[:, :, 1])
        target = np.clip(SCALE * STEP * np.cumsum(counts, axis=1), -1.0, 1.0)
        return inputs, target, np.ones(target.shape)

    def right(self, session: Session) -> np.ndarray:
        """(trial,) the right side, -1 or 1, as the condition says, else the sum of what was shown and counts."""
        if session.conditions is not None:
            context, motion, colour = self._meaning(np.asarray(session.conditions))
            return np.where(np.where(context > 0, motion, colour) < 0, -1.0, 1.0)
        inputs = self.inputs(session)
        counts = np.where(inputs[:, :, 2] > 0, inputs[:, :, 0], inputs[:, :, 1])
        return np.where(counts.sum(axis=1) < 0, -1.0, 1.0)

    def outcome(self, session: Session, output: np.ndarray) -> np.ndarray:
        """(trial,) 1 where the sign of the report is that of the sense that counts, of reports (trial, step)."""
        return (np.sign(read(output)) == self.right(session)).astype(float)

    def best(self) -> float:
        """The share of right trials of one who adds up all of what counts."""
        return Evidence(self.coherences, self.noise, self.duration).best()

    def probes(self) -> np.ndarray:
        """Inputs (probe, step, 3): no evidence in either context, to the trial's end."""
        inputs = np.zeros((2, round(self.duration / STEP), 3))
        inputs[:, :, 2] = np.array([1.0, -1.0])[:, None]
        return inputs
