"""Activity that spreads from neuron to neuron: a driven branching process near its critical point."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from circuits.states.propagation import propagate, settled
from simlab import truths
from simlab.data import activity, anatomy
from simlab.rules import Within, check_fields, require
from simlab.session import Session

DENSITY = 9e13
"""Neurons per m^3 (mouse cortex: 9 x 10^4 per mm^3)."""

MEMORIES = 8
"""Time constants for which a trial has been under way when it begins."""


@dataclass(frozen=True)
class Branching:
    """Each spike causes m others in the next step, on average, and a few come from outside.

        A(t + 1) ~ Poisson(m A(t) + h),   h = (1 - m) N r T,   T: one step

    A(t) are the spikes of a step; they fall on neurons that are drawn at random, so that neurons are exchangeable, and
    a recorded part of them is a random sample of each step's spikes: the subsampling that Wilting & Priesemann 2018
    (Nat Commun 9:2325) solve. There N = 10^4 and m = .99. Then

        mean A = N r T,   variance A / (1 - m^2),   autocorrelation m^k = exp(-k T / timescale),   timescale = -T / ln m

    m = 1 is the critical point, where avalanches have sizes ~ s^-1.5 and durations ~ t^-2 if they are set off one at a
    time (h << 1; Harris 1963, The Theory of Branching Processes); cortex in vivo lies below, m of .94 to .998
    (Wilting & Priesemann 2019, Cereb Cortex 29:2759). Where many neurons are watched under a steady input, activity
    never pauses and there are no avalanches to speak of.
    """

    name: ClassVar[str] = "branching"
    mechanism: ClassVar[str] = "branching process"
    questions: ClassVar[tuple[str, ...]] = ("branching_ratio", "timescale")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)

    n_neurons: Annotated[int, Within(10, 100_000)] = 10_000  # N (Wilting & Priesemann 2018)
    branching_ratio: Annotated[float, Within(0.01, 0.999)] = 0.99  # m (the same)
    mean_rate: Annotated[float, Within(1e-3, 20, "Hz")] = 2.5  # Hz, r: 100 spikes in a step
    step: Annotated[float, Within(1e-4, 0.1, "s")] = 0.004  # s, T: about a synaptic delay (Wilting & Priesemann 2018)

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            self.mean_rate * self.step <= 0.1,
            f"branching: mean_rate x step must be at most 0.1, got {self.mean_rate} Hz x {self.step} s: lower "
            "mean_rate or step, as a neuron fires at most once in a step",
        )

    @property
    def timescale(self) -> float:
        """s, of the autocorrelation."""
        return float(-self.step / np.log(self.branching_ratio))

    @property
    def mean_activity(self) -> float:
        """Spikes of all neurons in a step."""
        return self.n_neurons * self.mean_rate * self.step

    @property
    def variance(self) -> float:
        """Of the spikes of all neurons in a step."""
        return self.mean_activity / (1 - self.branching_ratio**2)

    def prior(self, rng: np.random.Generator) -> Branching:
        """A member of the family that cortex in vivo belongs to (Wilting & Priesemann 2019)."""
        return replace(
            self,
            branching_ratio=float(rng.uniform(0.94, 0.998)),
            mean_rate=float(np.exp(rng.uniform(np.log(0.5), np.log(5)))),
        )

    def subject(self, rng: np.random.Generator) -> BranchingSubject:
        """One network, of which only the places of the neurons are drawn."""
        return BranchingSubject(self, tissue(self.n_neurons, rng))


def tissue(n_neurons: int, rng: np.random.Generator) -> xr.Dataset:
    """An anatomy of excitatory neurons, anywhere in a cube of cortical density."""
    edge = (n_neurons / DENSITY) ** (1 / 3)
    return anatomy(rng.uniform(0, edge, (n_neurons, 3)), ["E"] * n_neurons)


@dataclass(frozen=True, eq=False)
class BranchingSubject:
    """One network of exchangeable neurons."""

    circuit: Branching
    anatomy: xr.Dataset

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Spontaneous activity: nothing is shown."""
        return Session(trials, duration)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with the spikes of all neurons; trials are independent pieces of ongoing activity."""
        circuit = self.circuit
        n, ratio = circuit.n_neurons, circuit.branching_ratio
        outside = (1 - ratio) * circuit.mean_activity
        steps = int(np.ceil(session.duration / circuit.step - 1e-9))
        start = settled(n, ratio, outside, round(MEMORIES / (1 - ratio)), session.trials, rng)
        external = np.full((steps, session.trials), outside)
        spikes = propagate(session, n, circuit.step, ratio, external, start, rng)
        return activity(session, n, spikes=spikes).assign_attrs(engine=f"numpy {np.__version__}")

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`branching_ratio` per step, and the `timescale` [s] that it makes."""
        circuit = self.circuit
        answers = {
            "branching_ratio": lambda: truths.one(ratio=circuit.branching_ratio, step=circuit.step),
            "timescale": lambda: truths.one(timescale=circuit.timescale),
        }
        return truths.among(circuit.name, question, answers)
