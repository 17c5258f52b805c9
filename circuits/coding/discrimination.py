"""Two stimuli, hardly different, shown again and again: the task, and populations whose counts tell them apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import xarray as xr

from simlab import truths
from simlab.data import activity, anatomy
from simlab.rules import Within, check_fields
from simlab.session import Session, Stimulus, sampled

FEATURE = "orientation"
"""The stimulus [rad], about a reference that is called 0."""

WIDTH = 0.05
"""Bins [s] in which rates are constant; a trial's rates stay the same unless something is done to a neuron."""

TISSUE = 300e-6
"""Edge [m] of the cube in which the neurons lie at random."""

Neurons = Annotated[int, Within(2, 5_000)]
TuningPeak = Annotated[float, Within(0.1, 200, "Hz")]
Concentration = Annotated[float, Within(0, 20)]
Blur = Annotated[float, Within(0, 1, "rad")]
Depth = Annotated[float, Within(0, 1)]
Rates = Callable[[np.ndarray, np.random.Generator], np.ndarray]
"""(stimulus (trial,) [rad], rng) -> (trial, neuron) [Hz]."""
Columns = tuple[np.ndarray, np.ndarray, np.ndarray]
Fire = Callable[[Session, np.ndarray, np.random.Generator], Columns]


@dataclass(frozen=True)
class Discrimination:
    """Stimuli half a `step` to either side of the reference, equally often, in random order or in blocks."""

    step: Annotated[float, Within(1e-3, 1, "rad")] = 0.15
    order: Literal["mixed", "blocks"] = "mixed"
    block: Annotated[int, Within(1, 10_000)] = 10  # trials of one stimulus, then as many of the other

    def __post_init__(self) -> None:
        check_fields(self)

    def session(self, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Each trial shows one stimulus from beginning to end; its condition is 1 for the larger one, else 0."""
        first = int(rng.integers(2))
        run = self.block if self.order == "blocks" else 1
        side = (np.arange(trials) // run + first) % 2
        side = rng.permutation(side) if self.order == "mixed" else side
        shown = self.step * (side - 0.5)
        return Session(trials, duration, Stimulus((FEATURE,), shown[:, None, None], duration), tuple(side.tolist()))


def n_bins(session: Session) -> int:
    """Of `WIDTH`, in a trial."""
    return max(int(np.ceil(session.duration / WIDTH - 1e-9)), 1)


def unconnected(rates: Rates) -> Fire:
    """Spikes of neurons without synapses at these rates, constant within a trial unless a neuron is driven or held."""

    def fire(session: Session, stimulus: np.ndarray, rng: np.random.Generator) -> Columns:
        from simlab.simulators.given_rates import spikes

        rate = np.repeat(rates(stimulus, rng)[:, None], n_bins(session), axis=1)
        return spikes(session, rate, WIDTH, rng, dead_time=0.0)

    return fire


class Moments(NamedTuple):
    """Of the rates in trials of each stimulus: what counts tell follows from them."""

    mean: np.ndarray  # (stimulus, neuron) [Hz]
    covariance: np.ndarray  # (stimulus, neuron, neuron) [Hz^2]


@dataclass(frozen=True, eq=False)
class DiscriminatingSubject:
    """One individual: Poisson counts at rates that the stimulus and the noise of a trial set.

    fire: (session, stimulus (trial,) [rad], rng) -> spike columns, without dead times, so that given its rate the count
    of a trial has its mean as its variance, exactly. moments: of the rates at each stimulus (stimulus,) [rad].
    saturates: whether information has a limit as such neurons are added; None: there is none to be limited. weights:
    (pre, post), of the synapses.
    """

    circuit: Any
    fire: Fire
    moments: Callable[[np.ndarray], Moments]
    saturates: bool | None
    weights: np.ndarray
    anatomy: xr.Dataset

    @classmethod
    def placed(
        cls,
        circuit: Any,
        fire: Fire,
        moments: Callable[[np.ndarray], Moments],
        saturates: bool | None,
        weights: np.ndarray,
        rng: np.random.Generator,
    ) -> DiscriminatingSubject:
        """Neurons anywhere in the tissue: their places tell nothing of what they code."""
        place = rng.uniform(0, TISSUE, (len(weights), 3))
        return cls(circuit, fire, moments, saturates, weights, anatomy(place, ["E"] * len(weights)))

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """The circuit's task."""
        task: Discrimination = self.circuit.task
        return task.session(trials, duration, rng)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with spikes and the stimulus; a trial without one is as if the reference were shown."""
        rule = f"{self.circuit.name} is shown one feature, {FEATURE!r} [rad]"
        shown = np.nan_to_num(sampled(session, FEATURE, session.duration, rule)[:, 0])
        fired = self.fire(session, shown, rng)
        return activity(session, len(self.weights), spikes=fired).assign_attrs(engine=f"numpy {np.__version__}")

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`information` in the counts of a trial as long as the recorded ones; `connectivity`."""
        answers = {
            "information": lambda: self._counts(activity),
            "connectivity": lambda: truths.wiring(self.weights),
        }
        return truths.among(self.circuit.name, question, answers)

    def _counts(self, activity: xr.Dataset | None) -> xr.Dataset:
        if activity is None:
            raise LookupError(f"{self.circuit.name} tells the information in trials that were run, got no activity")
        step = self.circuit.task.step
        told = counted(self.moments(step * np.array([-0.5, 0.5])), float(activity.attrs["duration"]), step)
        return told if self.saturates is None else told.assign(saturates=self.saturates)


def counted(moments: Moments, duration: float, step: float) -> xr.Dataset:
    """What tells two stimuli apart, a step [rad] from each other, in Poisson counts of trials of this duration [s].

    The derivative is the difference of the two means over the step, the covariance the mean of the two; that of counts
    is duration^2 Cov(rates) + duration diag(mean rates), by the law of total variance.
    """
    mean, covariance = moments.mean * duration, moments.covariance.mean(axis=0) * duration**2
    level = mean.mean(axis=0)
    told = truths.per_neuron(derivative=(mean[1] - mean[0]) / step, level=level)
    told["covariance"] = (("neuron", "other"), covariance + np.diag(level))
    return told.assign(step=step, feature=FEATURE)
