"""The up-down network's rival: neurons without synapses under a common drive that wanders slowly."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import ClassVar

import numpy as np
import xarray as xr

from circuits.states.square_root_drive import square_root_drive
from circuits.states.up_down import INTERVAL, UpDown, UpDownSubject
from simlab import truths
from simlab.data import activity
from simlab.rules import check_fields
from simlab.session import Session
from simlab.simulators.given_rates import spikes

TRIALS, DURATION = 20, 10.0
"""The session [s] of the network, without spikes, from which its statistics are taken."""


@dataclass(frozen=True)
class SlowDriveStates:
    """Independent Poisson neurons that follow one input: it comes and goes, and there are no states to switch between.

        rate_i(t) = r_i g(t),   g: mean 1, gamma distributed, autocorrelation exp(-t / T)

    Matched to `like` are each kind's mean rate and spread of rates, and the variance and time constant of what its
    neurons have in common, so that correlations, Fano factors and the population's slow rise and fall are alike. The
    distribution of the population's activity is not: it has one mode, where a bistable network's has two. Low
    activity that comes and goes with a common input is what synchronised cortical states were long taken for
    (Harris & Thiele 2011, Nat Rev Neurosci 12:509).
    """

    name: ClassVar[str] = "slow_drive_states"
    mechanism: ClassVar[str] = "common drive"
    twin_of: ClassVar[tuple[str, ...]] = ("up_down",)
    questions: ClassVar[tuple[str, ...]] = ("dynamics",)
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)

    like: UpDown = field(default_factory=UpDown)  # the network that it imitates

    def __post_init__(self) -> None:
        check_fields(self)

    def imitating(self, circuit: UpDown) -> SlowDriveStates:
        """A copy that is matched to this network."""
        return replace(self, like=circuit)

    def subject(self, rng: np.random.Generator) -> SlowDriveStatesSubject:
        """One population, with the shares of rates of a twin."""
        return SlowDriveStatesSubject(self, self.like.subject(rng))


@dataclass(frozen=True)
class Fluctuations:
    """Of a network's population: mean rate (excitatory, inhibitory) [Hz], relative variance, time constant [s]."""

    mean_rate: tuple[float, float]
    relative_variance: float
    time_constant: float


@lru_cache(maxsize=64)
def fluctuations(circuit: UpDown) -> Fluctuations:
    """Measured in 200 s of the network; the time constant is that at which the autocorrelation is 1/e."""
    rng = np.random.default_rng(0)
    rate = circuit.subject(rng).rates(Session(TRIALS, DURATION), rng)
    excitatory, inhibitory = (part.mean(axis=2) for part in np.split(rate, [circuit.n_excitatory], axis=2))
    away = excitatory - excitatory.mean()
    lags = np.arange(away.shape[1] // 2)
    memory = np.array([(away[:, : len(away[0]) - k] * away[:, k:]).mean() for k in lags])
    below = np.flatnonzero(memory < memory[0] / np.e)
    return Fluctuations(
        (float(excitatory.mean()), float(inhibitory.mean())),
        float(away.var() / excitatory.mean() ** 2),
        float((below[0] if len(below) else len(lags)) * INTERVAL),
    )


@dataclass(frozen=True, eq=False)
class SlowDriveStatesSubject:
    """One population, and the network whose statistics it has."""

    circuit: SlowDriveStates
    twin: UpDownSubject

    @property
    def anatomy(self) -> xr.Dataset:
        """The twin's."""
        return self.twin.anatomy

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Spontaneous activity: nothing is shown."""
        return Session(trials, duration)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with the spikes of all neurons."""
        like, alike = self.circuit.like, fluctuations(self.circuit.like)
        bins = int(np.ceil(session.duration / INTERVAL - 1e-9))
        drive = square_root_drive(
            bins, (session.trials, 1), INTERVAL, alike.time_constant, alike.relative_variance, rng
        )
        mean = self.twin.share * np.repeat(alike.mean_rate, [like.n_excitatory, like.n_inhibitory])
        fired = spikes(session, np.swapaxes(drive * mean, 0, 1), INTERVAL, rng)
        return activity(session, like.n_neurons, spikes=fired).assign_attrs(engine=f"numpy {np.__version__}")

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`dynamics`: driven."""
        return truths.among(self.circuit.name, question, {"dynamics": lambda: truths.one(label="driven")})
