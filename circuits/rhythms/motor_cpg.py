"""A central pattern generator: three groups of motor neurons that inhibit one another and tire, one after another."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
import xarray as xr

from circuits.attractors.ring_network import padded
from circuits.attractors.shape import betti_numbers
from circuits.networks.cortex import by_ratio
from circuits.rhythms.cycle import Orbit
from circuits.rhythms.preferred import rhythm_truth
from simlab import truths
from simlab.data import activity, anatomy
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Pause, Step
from simlab.session import Session

if TYPE_CHECKING:
    from simlab.simulators.rates import RateNetwork

PERIOD = (0.95, 2.07)
"""s: mean 1.51 plus and minus two standard deviations of .28, of the lobster's pyloric rhythm (Prinz, Bucher & Marder
2004, Nat Neurosci 7:1345; figures from memory)."""

LONGEST = 12.0  # s of an orbit: more than four of the slowest periods that are let pass
GANGLION = 300e-6
"""Edge [m] of the cube in which the neurons lie: all of them within reach."""

Group = Annotated[int, Within(1, 1000)]
Inhibition = Annotated[float, Within(0, 100)]
Seconds = Annotated[float, Within(1e-3, 100.0, "s")]


@dataclass(frozen=True)
class MotorCPG:
    """Mutual inhibition with adaptation (Matsuoka 1985, Biol Cybern 52:367), between three groups.

        tau dx_i/dt = -x_i + [drive - adaptation a_i - sum_j w_ji x_j]_+ + sqrt(tau) s eta_i(t)
        tau_a da_i/dt = -a_i + x_i

    A group that fires tires, and the one that it inhibits least escapes first: with `leading` < `trailing` inhibition
    groups follow one another in a fixed order, as PD, LP and PY neurons of the crab's and lobster's stomatogastric
    ganglion do, here with a few neurons each. Nobody drives it with a rhythm. As there (Prinz, Bucher & Marder 2004,
    Nat Neurosci 7:1345) very different strengths make the same rhythm: `prior` draws strengths and time constants over
    factors of three and more, and keeps what fires in order with a period within `PERIOD`, that of the animals.
    Rates are dimensionless; strength 1 of a stimulation is the drive. Adaptation is a neuron's own, and is not seen.
    """

    name: ClassVar[str] = "motor_cpg"
    mechanism: ClassVar[str] = "limit cycle"
    questions: ClassVar[tuple[str, ...]] = ("dynamics", "oscillation", "topology", "connectivity")
    modalities: ClassVar[tuple[str, ...]] = ("rate",)

    groups: tuple[Group, Group, Group] = (2, 1, 5)  # PD, LP, PY neurons (Marder & Bucher 2007, Annu Rev Physiol 69:291)
    drive: Annotated[float, Within(0, 100, excluding=(0,))] = 1.0
    adaptation: Inhibition = 2.5
    leading: Inhibition = 1.5  # of the group that comes next
    trailing: Inhibition = 4.0  # of the group that came before
    time_constant: Seconds = 0.05  # s
    adaptation_time_constant: Seconds = 0.8  # s
    noise: Annotated[float, Within(0, 1)] = 0.02  # s, of a neuron
    burn_in: Pause = 5.0  # s before each trial
    dt: Step = 2e-3  # s
    sample_interval: Annotated[float, Within(1e-4, 0.1, "s")] = 10e-3  # s

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            self.dt <= self.time_constant / 10,
            f"dt must be at most a tenth of the time constant, {self.time_constant} s, got {self.dt}",
        )

    @property
    def n_neurons(self) -> int:
        """Of all groups."""
        return sum(self.groups)

    @property
    def group(self) -> np.ndarray:
        """(neuron,) 0, 1 or 2."""
        return np.repeat(np.arange(3), self.groups)

    @property
    def weights(self) -> np.ndarray:
        """(pre, post) of synapses."""
        apart = (self.group[None, :] - self.group[:, None]) % 3
        strength = np.choose(apart, [0.0, self.leading, self.trailing])
        return -strength / np.array(self.groups)[self.group][:, None]

    def network(self) -> RateNetwork:
        """Neurons, and then the adaptation of each."""
        from simlab.simulators.rates import RateNetwork
        from simlab.simulators.transfers import threshold_linear

        one = np.eye(self.n_neurons)
        weights = np.block([[self.weights, one], [-self.adaptation * one, 0.0 * one]])

        def both(neurons: float, adaptations: float) -> np.ndarray:
            return np.repeat([neurons, adaptations], self.n_neurons)

        return RateNetwork(
            weights,
            both(self.time_constant, self.adaptation_time_constant),
            threshold_linear,
            bias=both(self.drive, 0.0),
            state_noise=both(self.noise, 0.0),
            rheobase=self.drive,
        )

    def orbit(self) -> Orbit:
        """Without noise: neurons and adaptations, once some periods are over."""
        start = np.zeros(2 * self.n_neurons)
        start[: self.n_neurons] = self.drive * np.array([0.5, 0.1, 0.0])[self.group]
        return Orbit.of(self.network(), start, dt=self.dt, settling=LONGEST, length=LONGEST)

    def prior(self, rng: np.random.Generator) -> MotorCPG:
        """Strengths over a factor of three, time constants of two, kept where the rhythm is the animals'."""
        while True:
            drawn = replace(
                self,
                adaptation=by_ratio(rng, 1.5, 5.0),
                leading=by_ratio(rng, 1.0, 3.0),
                trailing=by_ratio(rng, 2.0, 8.0),
                time_constant=by_ratio(rng, 0.04, 0.1),
                adaptation_time_constant=by_ratio(rng, 0.5, 1.5),
            )
            if _is_pyloric(drawn):
                return drawn

    def subject(self, rng: np.random.Generator) -> MotorCPGSubject:
        """One ganglion: its neurons lie anywhere in it. Its orbit must be a cycle."""
        orbit = self.orbit()
        require(
            orbit.period is not None,
            f"activity must go round a cycle, got one that rests or never repeats, with adaptation {self.adaptation}, "
            f"leading {self.leading} and trailing {self.trailing}: take leading < trailing, and more adaptation",
        )
        place = rng.uniform(0, GANGLION, (self.n_neurons, 3))
        known = anatomy(place, ["I"] * self.n_neurons, "stomatogastric ganglion")
        return MotorCPGSubject(self, orbit, known)


def _is_pyloric(circuit: MotorCPG) -> bool:
    """Whether groups fire in order, once a period, within the animals' periods."""
    if not circuit.leading < circuit.trailing:
        return False
    orbit = circuit.orbit()
    period = orbit.period
    if period is None or not PERIOD[0] <= period <= PERIOD[1]:
        return False
    onsets = [orbit.onsets(int(np.argmax(circuit.group == g))) for g in range(3)]
    if any(len(found) < 2 for found in onsets):
        return False
    phases = [((found[1] - onsets[0][0]) / period) % 1 for found in onsets]
    return bool(0 < phases[1] < phases[2])


@dataclass(frozen=True, eq=False)
class MotorCPGSubject:
    """One ganglion: its noise-free orbit, over neurons and adaptations, and anatomy."""

    circuit: MotorCPG
    whole_orbit: Orbit
    anatomy: xr.Dataset

    @cached_property
    def orbit(self) -> Orbit:
        """Of the neurons."""
        return Orbit(self.whole_orbit.times, self.whole_orbit.rates[:, : self.circuit.n_neurons])

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Spontaneous activity of the isolated ganglion: nothing is shown."""
        return Session(trials, duration)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with `rate` (trial, time, neuron); trials begin at any phase."""
        from simlab.simulators.rates import simulate

        c, states = self.circuit, self.whole_orbit.rates
        whole = padded(session, np.arange(c.n_neurons), 2 * c.n_neurons)
        start = states[rng.integers(len(states), size=session.trials)]
        time, rate = simulate(
            c.network(), whole, rng, dt=c.dt, sample_interval=c.sample_interval, initial=start, burn_in=c.burn_in
        )
        return activity(session, c.n_neurons, rate=rate[:, :, : c.n_neurons], time=time)

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`dynamics`, `oscillation` and `topology`: of the noise-free orbit; `connectivity`: the synapses."""
        answers = {
            "dynamics": lambda: truths.one(label="limit cycle"),
            "oscillation": lambda: rhythm_truth(1.0 / float(self.orbit.period or np.nan)),
            "topology": lambda: truths.shape(betti_numbers(self.orbit.states())),
            "connectivity": lambda: truths.wiring(self.circuit.weights, "1"),
        }
        return truths.among(self.circuit.name, question, answers)
