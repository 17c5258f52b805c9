"""LIF neurons without synapses that share fluctuating inputs: correlations without connections."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
import xarray as xr

from circuits.networks.balanced_ei import BalancedEI, lif
from simlab import truths
from simlab.contracts import SimlabError
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Count
from simlab.session import Session

if TYPE_CHECKING:
    from simlab.simulators.lif_theory import LIF, WorkingPoint
    from simlab.simulators.spiking import Drive

SIGNAL_STEP = 5e-4
"""How often the shared signals change [s]: ten times within their time constant."""


@dataclass(frozen=True)
class CommonDrive:
    """The neurons of `like` with every synapse cut, and shared inputs in their place.

        tau dV_i/dt = rest - V_i + mean_i + sum_k L_ki z_k(t) + sigma_i sqrt(2 tau) xi_i(t),
        z_k: unit-variance Ornstein-Uhlenbeck processes of time constant `drive_time_constant`

    Each subject is matched, without simulation, to a twin drawn from `like`. Mean-field theory gives each neuron the
    mean and the variance of all input that it has in the twin's network, hence its rate there. Linear response theory
    gives the twin's count correlations; their mean m and standard deviation s over pairs set the loadings: L_ki = a_ki
    times (neuron i's output noise / its gain), so that the correlation of i and j is sum_k a_ki a_kj, with a_k of
    mean sqrt(m / n_drives) and a spread that gives s. The noise xi makes up the rest of each neuron's variance.
    Sources of the theory: simlab.simulators.lif_theory.
    """

    name: ClassVar[str] = "common_drive"
    mechanism: ClassVar[str] = "common drive"
    twin_of: ClassVar[tuple[str, ...]] = ("balanced_ei",)
    questions: ClassVar[tuple[str, ...]] = ("connectivity",)
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)

    like: BalancedEI = field(default_factory=BalancedEI)  # the network whose rates and correlations it copies
    n_drives: Count = 5  # shared signals: a handful of dimensions (Williamson et al. 2016; Huang et al. 2019)
    drive_time_constant: Annotated[float, Within(SIGNAL_STEP, 1, "s")] = 5e-3
    """s; shared spikes seen through fast synapses (Vogels & Abbott 2005)."""
    strength: Annotated[float, Within(0, 1000)] = 1.0  # of the matched correlations; 0 leaves independent neurons

    def __post_init__(self) -> None:
        check_fields(self)

    def imitating(self, circuit: BalancedEI) -> CommonDrive:
        """A copy that is matched to this network."""
        return replace(self, like=circuit)

    def subject(self, rng: np.random.Generator) -> CommonDriveSubject:
        """The neurons of one twin, with shared signals in place of its synapses."""
        from simlab.simulators.lif_theory import count_correlations

        twin = self.like.subject(rng)
        neuron, point = self.like.neuron, twin.working_point
        correlations = count_correlations(neuron, twin.jumps, point)
        pairs = correlations[np.triu_indices(len(correlations), 1)]
        loading = self._loading(neuron, point, pairs.mean(), pairs.std(), rng)
        return CommonDriveSubject(self, point, loading, self._private_sd(point, loading), twin.anatomy)

    def _loading(
        self, neuron: LIF, point: WorkingPoint, mean: float, sd: float, rng: np.random.Generator
    ) -> np.ndarray:
        """(drive, neuron) [V]: what makes count correlations of this mean and sd over pairs."""
        n, mean, sd = self.like.n_neurons, max(mean, 0.0) * self.strength, sd * self.strength
        centre = mean / self.n_drives  # squared mean of the shares a
        spread = np.sqrt(centre**2 + sd**2 / self.n_drives) - centre  # variance of the shares
        shares = rng.standard_normal((self.n_drives, n))
        shares -= shares.mean(axis=1, keepdims=True)
        shares *= np.sqrt(spread) / np.maximum(shares.std(axis=1, keepdims=True), 1e-12)
        # Over pairs of different neurons, shares that sum to zero correlate by -spread/(n-1): made up for here.
        shares += np.sqrt(centre + spread / (n - 1))
        output_noise = point.rate * neuron.interval_cv(point.mean, point.sd) ** 2
        return shares * np.sqrt(output_noise / self._signal_power()) / neuron.gain(point.mean, point.sd)

    def _signal_power(self) -> float:
        """Power of z_k at frequency zero [1/Hz]: 2 x its time constant, but for the signal's steps."""
        decay = np.exp(-SIGNAL_STEP / self.drive_time_constant)
        return float(SIGNAL_STEP * (1 + decay) / (1 - decay))

    def _private_sd(self, point: WorkingPoint, loading: np.ndarray) -> np.ndarray:
        """(neuron,) [V]: private noise, so that each neuron's potential keeps the variance that it had."""
        tau = self.like.membrane_time_constant
        shared = (loading**2).sum(axis=0) * self.drive_time_constant / (self.drive_time_constant + tau)
        left = point.sd**2 - shared
        if left.min() <= 0:
            raise SimlabError(
                f"the shared drive may not exceed a neuron's total input noise, got {np.max(shared / point.sd**2):.2f} "
                "of its variance: lower `strength`, or weaken the synapses of `like`"
            )
        return np.sqrt(left)


@dataclass(frozen=True, eq=False)
class CommonDriveSubject:
    """One population: inputs matched to its twin's, loading (drive, neuron) [V], private noise sd (neuron,) [V]."""

    circuit: CommonDrive
    matched: WorkingPoint
    loading: np.ndarray
    private_sd: np.ndarray
    anatomy: xr.Dataset

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Spontaneous activity: nothing is shown."""
        return Session(trials, duration)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with the spikes of all neurons."""
        from simlab.simulators.spiking import SpikingNetwork, simulate

        like = self.circuit.like
        neurons = lif(like, self.matched.mean, self.private_sd, drive=True)
        drive = self._drive(session, rng.spawn(1)[0])
        spikes = simulate(
            SpikingNetwork((neurons,), name=self.circuit.name),
            session,
            rng,
            drives=(drive,),
            burn_in=like.burn_in,
            dt=like.dt,
        )
        return spikes.activity(session, like.n_neurons)

    def _drive(self, session: Session, rng: np.random.Generator) -> Drive:
        from scipy.signal import lfilter

        from simlab.simulators.spiking import Drive

        circuit = self.circuit
        burn_in = circuit.like.burn_in
        steps = int(np.ceil((burn_in + session.duration) / SIGNAL_STEP)) + 1
        noise = rng.standard_normal((session.trials, steps, circuit.n_drives), dtype=np.float32)
        decay = np.exp(-SIGNAL_STEP / circuit.drive_time_constant)
        noise[:, 1:] *= np.sqrt(1 - decay**2)  # the first step is drawn from the stationary state
        signal = lfilter(np.ones(1, np.float32), np.array([1, -decay], np.float32), noise, axis=1)
        return Drive("drive", signal, SIGNAL_STEP, loading=self.loading, unit="volt", start=-burn_in)

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`connectivity`: no synapse at all."""
        return truths.among(self.circuit.name, question, {"connectivity": self._no_wiring})

    def _no_wiring(self) -> xr.Dataset:
        return truths.no_wiring(self.circuit.like.n_neurons)
