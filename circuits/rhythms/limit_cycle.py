"""A limit cycle: two populations whose resting state is unstable, so that activity goes round a closed orbit for
ever."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
import xarray as xr

from circuits.attractors.shape import betti_numbers
from circuits.rhythms.cycle import Orbit
from circuits.rhythms.preferred import rhythm_truth
from simlab import truths
from simlab.data import activity, anatomy
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Pause, Step
from simlab.session import Session

if TYPE_CHECKING:
    from simlab.simulators.rates import RateNetwork

Weight = Annotated[float, Within(0, 100)]
Slope = Annotated[float, Within(0, 100, excluding=(0,))]
TISSUE = 200e-6
"""Edge [m] of the cube in which the neurons lie at random: a local circuit."""


@dataclass(frozen=True)
class LimitCycle:
    """The equations of Wilson & Cowan (1972, Biophys J 12:1), without their refractory factor, over many neurons.

        tau dx_i/dt = -x_i + S_a(sum_j w_ji x_j + p_i) + sqrt(tau) s eta_i(t),   a: the kind (E or I) of i
        S_a(u) = 1 / (1 + exp(-a_a (u - theta_a))) - 1 / (1 + exp(a_a theta_a))

    w_ji is the coefficient c1 to c4 of the paper over the number of neurons of j's kind, and p_i is `drive` for
    excitatory neurons, each with an offset of its own, and 0 for inhibitory ones. Coefficients, slopes and thresholds
    are those of the paper's limit cycle (its figure 11: c1..c4 = 16, 12, 15, 3; slopes 1.3 and 2, thresholds 4 and 3.7,
    P = 1.25; from memory); with the default drive it goes round some 21 times a second, in the beta range. The paper's
    refractory factor 1 - x makes the bursts of activity lower. Rates are dimensionless, 0 to 1; strength 1 of a
    stimulation is a drive of 1.

    Truths come from the orbit without noise: its period, and the shape of the states along it. Parameters with which
    it comes to rest are refused.
    """

    name: ClassVar[str] = "limit_cycle"
    mechanism: ClassVar[str] = "limit cycle"
    questions: ClassVar[tuple[str, ...]] = ("dynamics", "oscillation", "topology", "connectivity")
    modalities: ClassVar[tuple[str, ...]] = ("rate",)

    n_excitatory: Annotated[int, Within(1, 10_000)] = 24
    n_inhibitory: Annotated[int, Within(1, 10_000)] = 6
    weight_ee: Weight = 16.0  # c1
    weight_ie: Weight = 12.0  # c2, inhibitory to excitatory, taken as negative
    weight_ei: Weight = 15.0  # c3, excitatory to inhibitory
    weight_ii: Weight = 3.0  # c4, inhibitory to inhibitory, taken as negative
    slope_e: Slope = 1.3
    slope_i: Slope = 2.0
    threshold_e: Weight = 4.0
    threshold_i: Weight = 3.7
    drive: Annotated[float, Within(-100, 100)] = 1.5  # P; the paper's 1.25 is nearer to where the cycle begins
    drive_spread: Annotated[float, Within(0, 10)] = 0.2  # sd of the offsets over neurons: orbits differ
    time_constant: Annotated[float, Within(1e-3, 10, "s")] = 8e-3  # s (Wilson & Cowan 1972: 10 ms or so)
    noise: Annotated[float, Within(0, 1)] = 0.02  # s, of a neuron: sqrt(2) times its sd, were it alone
    burn_in: Pause = 0.5  # s before each trial, in which starting phases are forgotten
    dt: Step = 1e-4  # s; at five times that the period is a tenth longer (measured)
    sample_interval: Step = 2e-3  # s

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            self.dt <= self.time_constant / 10,
            f"dt must be at most a tenth of the time constant, {self.time_constant} s, got {self.dt}",
        )

    @property
    def n_neurons(self) -> int:
        """Of both kinds."""
        return self.n_excitatory + self.n_inhibitory

    def subject(self, rng: np.random.Generator) -> LimitCycleSubject:
        """One network, with its neurons' offsets and places; its orbit must be a cycle."""
        offset = rng.normal(0, self.drive_spread, self.n_neurons)
        place = rng.uniform(0, TISSUE, (self.n_neurons, 3))
        kinds = ["E"] * self.n_excitatory + ["I"] * self.n_inhibitory
        subject = LimitCycleSubject(self, offset, anatomy(place, kinds))
        require(
            subject.orbit.period is not None,
            f"activity must go round a cycle, got a network that comes to rest with drive {self.drive}, weights "
            f"{self.weight_ee}, {self.weight_ie}, {self.weight_ei} and {self.weight_ii}: try a drive of 1.25 to 2",
        )
        return subject


@dataclass(frozen=True, eq=False)
class LimitCycleSubject:
    """One network: offsets (neuron,) of the drives, and anatomy."""

    circuit: LimitCycle
    offset: np.ndarray
    anatomy: xr.Dataset

    @property
    def excitatory(self) -> np.ndarray:
        """(neuron,) bool."""
        return np.arange(self.circuit.n_neurons) < self.circuit.n_excitatory

    @property
    def weights(self) -> np.ndarray:
        """(pre, post)."""
        c = self.circuit
        table = np.array([[c.weight_ee, c.weight_ei], [-c.weight_ie, -c.weight_ii]])
        table = table / np.array([c.n_excitatory, c.n_inhibitory])[:, None]
        kind = np.where(self.excitatory, 0, 1)
        return table[np.ix_(kind, kind)]

    @cached_property
    def network(self) -> RateNetwork:
        """Its equations, for simulation, Jacobian and fixed points."""
        from circuits.rhythms.rate_transfers import wilson_cowan
        from simlab.simulators.rates import RateNetwork

        c, e = self.circuit, self.excitatory
        slope, threshold = np.where(e, c.slope_e, c.slope_i), np.where(e, c.threshold_e, c.threshold_i)
        bias = np.where(e, c.drive, 0.0) + self.offset
        return RateNetwork(
            self.weights, c.time_constant, wilson_cowan, (slope, threshold), bias=bias, state_noise=c.noise
        )

    @cached_property
    def orbit(self) -> Orbit:
        """Without noise, some tens of periods after it began."""
        tau = self.circuit.time_constant
        start = np.full(self.circuit.n_neurons, 0.1)
        return Orbit.of(self.network, start, dt=self.circuit.dt, settling=100 * tau, length=100 * tau)

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Spontaneous activity: nothing is shown."""
        return Session(trials, duration)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with `rate` (trial, time, neuron); trials begin at any phase."""
        from simlab.simulators.rates import simulate

        c, orbit = self.circuit, self.orbit
        start = orbit.rates[rng.integers(len(orbit.rates), size=session.trials)]
        time, rate = simulate(
            self.network, session, rng, dt=c.dt, sample_interval=c.sample_interval, initial=start, burn_in=c.burn_in
        )
        return activity(session, c.n_neurons, rate=rate, time=time)

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`dynamics`, `oscillation` and `topology`: of the noise-free orbit; `connectivity`: the weights that ran."""
        answers = {
            "dynamics": lambda: truths.one(label="limit cycle"),
            "oscillation": lambda: rhythm_truth(1.0 / float(self.orbit.period or np.nan)),
            "topology": lambda: truths.shape(betti_numbers(self.orbit.states())),
            "connectivity": lambda: truths.wiring(self.weights * ~np.eye(self.circuit.n_neurons, dtype=bool), "1"),
        }
        return truths.among(self.circuit.name, question, answers)
