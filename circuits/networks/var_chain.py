"""Three oscillating nodes in a chain, linear and Gaussian: the textbook case of Granger causality, solvable by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from simlab import truths
from simlab.data import activity, anatomy
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Pause
from simlab.session import Session
from simlab.simulators.rate_inputs import Command

Radius = Annotated[float, Within(0, 1, excluding=(1,))]
Frequency = Annotated[float, Within(0, 10_000, "Hz")]
Coefficient = Annotated[float, Within(-10, 10)]

TISSUE = 200e-6
"""Edge [m] of the cube in which the nodes lie at random: their places tell nothing of the chain."""

ORDER = 2
"""Steps that a node looks back."""


@dataclass(frozen=True)
class VARChain:
    """A vector autoregressive process of order two: node 1 drives node 2, which drives node 3.

        x_i(t) = 2 r_i cos(2 pi f_i T) x_i(t - T) - r_i^2 x_i(t - 2T) + sum_j sum_k C_k,ji g_ji x_j(t - kT)
                 + noise (xi_i(t) + u_i(t)),   T = 1 / sampling_rate

    Each node alone is a damped oscillator with poles of modulus r_i at frequency f_i; xi is standard normal. Numbers
    are those of Stokes & Purdon (2017, PNAS 114:E7063), who show with it that Granger-Geweke measures mix what the
    sender does, what the receiver does and how they are connected. x is dimensionless, and as often negative as not: a
    field potential rather than a rate. The process is linear and so has no threshold; strength 1 of a stimulation u is
    one standard deviation of the noise. A held node has the given x, and gains g act on what nodes send to others.
    """

    name: ClassVar[str] = "var_chain"
    mechanism: ClassVar[str] = "feedforward chain"
    questions: ClassVar[tuple[str, ...]] = ("connectivity",)
    modalities: ClassVar[tuple[str, ...]] = ("rate",)

    radius: tuple[Radius, Radius, Radius] = (0.9, 0.7, 0.8)  # r (Stokes & Purdon 2017)
    frequency: tuple[Frequency, Frequency, Frequency] = (40.0, 10.0, 50.0)  # f [Hz] (Stokes & Purdon 2017)
    first: tuple[Coefficient, Coefficient] = (-0.356, 0.7136)  # node 1 to 2, one and two steps back (the same)
    second: tuple[Coefficient, Coefficient] = (-0.3098, 0.5)  # node 2 to 3 (the same)
    sampling_rate: Annotated[float, Within(1, 100_000, "Hz")] = 120.0  # Stokes & Purdon 2017
    noise: Annotated[float, Within(0, 1000)] = 1.0  # standard deviation (Stokes & Purdon 2017)
    burn_in: Pause = 1.0  # s before each trial: 0.9^120 = 3e-6 of the start is left

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            max(self.frequency) <= self.sampling_rate / 2,
            f"frequencies must be at most half the sampling_rate of {self.sampling_rate} Hz, got {self.frequency}: "
            "sample faster",
        )

    @property
    def coefficients(self) -> np.ndarray:
        """(lag, pre, post): what x one and two steps back adds to x now."""
        radius, frequency = np.array(self.radius), np.array(self.frequency)
        turn = 2 * radius * np.cos(2 * np.pi * frequency / self.sampling_rate)
        found = np.stack([np.diag(turn), np.diag(-(radius**2))])
        found[:, 0, 1], found[:, 1, 2] = self.first, self.second
        return found

    def subject(self, rng: np.random.Generator) -> VARChainSubject:
        """One chain. All have the same coefficients; nodes lie in other places."""
        return VARChainSubject(self, self.coefficients, anatomy(rng.uniform(0, TISSUE, (3, 3)), ["E"] * 3))


@dataclass(frozen=True, eq=False)
class VARChainSubject:
    """One individual: coefficients (lag, pre, post) and anatomy."""

    circuit: VARChain
    coefficients: np.ndarray
    anatomy: xr.Dataset

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Spontaneous activity: nothing is shown."""
        return Session(trials, duration)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with x as its `rate` (trial, time, neuron), one sample per step."""
        step, size = 1 / self.circuit.sampling_rate, self.coefficients.shape[1]
        samples, burn_in = round(session.duration / step), round(self.circuit.burn_in / step)
        require(samples >= 1, f"a trial must last at least one step of {step:.3g} s, got {session.duration} s")
        time = np.arange(samples) * step
        command = Command.of(size, 1.0, session, None, None, step)
        segment = np.concatenate([np.zeros(burn_in, dtype=int), command.segment(time + step / 2)])
        noise = np.stack([each.standard_normal((len(segment), size)) for each in rng.spawn(session.trials)])
        x = np.zeros((session.trials, ORDER + len(segment), size))
        for k, now in enumerate(segment):
            free = self._predicted(x[:, k : k + ORDER][:, ::-1], command, now)
            free += self.circuit.noise * (noise[:, k] + command.current[now])
            held = np.full_like(free, np.nan) if command.clamp is None else command.clamp[now]
            x[:, k + ORDER] = np.where(np.isnan(held), free, held)
        return activity(session, size, rate=x[:, ORDER + burn_in :], time=time).assign_attrs(
            engine=f"numpy {np.__version__}"
        )

    def _predicted(self, past: np.ndarray, command: Command, segment: int) -> np.ndarray:
        """(trial, neuron): what x has to be, given past (trial, lag, neuron), but for the noise."""
        own = np.diagonal(self.coefficients, axis1=1, axis2=2)  # (lag, neuron)
        others = self.coefficients * ~np.eye(own.shape[1], dtype=bool)
        sent = past if command.gain is None else past * command.gain[segment][:, None]
        if command.pair_gain is None or command.pair_kind is None:
            heard = np.einsum("tki,kij->tj", sent, others)
        else:
            heard = np.einsum("tki,kij,tij->tj", sent, others, command.pair_gain[command.pair_kind[segment]])
        return np.einsum("tki,ki->ti", past, own) + heard

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`connectivity`: of the coefficients of each pair that ran, the one that is largest in size."""
        return truths.among(self.circuit.name, question, {"connectivity": self._wiring})

    def _wiring(self) -> xr.Dataset:
        others = self.coefficients * ~np.eye(self.coefficients.shape[1], dtype=bool)
        largest = np.abs(others).argmax(axis=0)
        return truths.wiring(np.take_along_axis(others, largest[None], axis=0)[0], "1")
