"""The branching process's rival: neurons that never speak to one another, and avalanches all the same."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

import numpy as np
import xarray as xr

from circuits.states.branching import Branching, tissue
from circuits.states.propagation import propagate
from circuits.states.square_root_drive import rectified_drive, square_root_drive
from simlab import truths
from simlab.data import activity
from simlab.rules import check_fields
from simlab.session import Session


@dataclass(frozen=True)
class CommonDriveAvalanches:
    """Independent units whose common rate wanders slowly.

        A(t) ~ Poisson(N r T g(t)),   g: mean 1, gamma distributed, autocorrelation exp(-t / timescale)

    Units that are stochastic, independent and driven alike show avalanches with sizes and durations that look like
    power laws, and even the relation between their exponents that criticality predicts (Touboul & Destexhe 2010, PLoS
    ONE 5:e8982; 2017, Phys Rev E 95:012413). There g is the positive part of an Ornstein-Uhlenbeck process, here so
    with drive="rectified" (relative variance pi - 1, whatever the network's). The default, a square-root process, is
    what the branching process itself becomes with many neurons; matched to `like` are then rates of the neurons,
    variance of the population's count in a step, and its time constant. The counts' autocorrelation falls short of the
    network's by the factor m^2 at all lags.

    What differs is what is absent: no spike causes another, and the branching ratio is 0.
    """

    name: ClassVar[str] = "common_drive_avalanches"
    mechanism: ClassVar[str] = "common drive"
    twin_of: ClassVar[tuple[str, ...]] = ("branching",)
    questions: ClassVar[tuple[str, ...]] = ("branching_ratio", "timescale")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)

    like: Branching = field(default_factory=Branching)  # the network that it imitates
    drive: Literal["square root", "rectified"] = "square root"

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def relative_variance(self) -> float:
        """Of the square-root drive: with Poisson counts on top, the population's variance is the network's."""
        return (self.like.variance - self.like.mean_activity) / self.like.mean_activity**2

    def imitating(self, circuit: Branching) -> CommonDriveAvalanches:
        """A copy that is matched to this network."""
        return replace(self, like=circuit)

    def subject(self, rng: np.random.Generator) -> CommonDriveAvalanchesSubject:
        """One population, of which only the places of the neurons are drawn."""
        return CommonDriveAvalanchesSubject(self, tissue(self.like.n_neurons, rng))


@dataclass(frozen=True, eq=False)
class CommonDriveAvalanchesSubject:
    """One population of exchangeable neurons."""

    circuit: CommonDriveAvalanches
    anatomy: xr.Dataset

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Spontaneous activity: nothing is shown."""
        return Session(trials, duration)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with the spikes of all neurons; trials are independent pieces of ongoing activity."""
        like = self.circuit.like
        steps = int(np.ceil(session.duration / like.step - 1e-9))
        trials = (session.trials,)
        if self.circuit.drive == "rectified":
            drive = rectified_drive(steps, trials, like.step, like.timescale, rng)
        else:
            drive = square_root_drive(steps, trials, like.step, like.timescale, self.circuit.relative_variance, rng)
        start = np.zeros(session.trials, dtype=int)
        spikes = propagate(session, like.n_neurons, like.step, 0.0, like.mean_activity * drive, start, rng)
        return activity(session, like.n_neurons, spikes=spikes).assign_attrs(engine=f"numpy {np.__version__}")

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`branching_ratio`: no spike causes any. `timescale` [s]: the drive's, before it is rectified."""
        like = self.circuit.like
        answers = {
            "branching_ratio": lambda: truths.one(ratio=0.0, step=like.step),
            "timescale": lambda: truths.one(timescale=like.timescale),
        }
        return truths.among(self.circuit.name, question, answers)
