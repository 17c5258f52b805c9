"""LIF neurons without synapses that share fluctuating inputs: correlations without connections."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
import xarray as xr

from circuits.networks import cortex, unconnected, unseen_input
from circuits.networks.balanced_ei import BalancedEI, lif
from circuits.networks.cortical_patch import CorticalPatch
from circuits.networks.patch_rival import PatchRival, Signals
from circuits.networks.unseen_input import WINDOW, Mixture
from simlab.contracts import Regime, SimlabError
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Count, Delay, Share
from simlab.session import Session

if TYPE_CHECKING:
    from simlab.simulators.lif_theory import WorkingPoint
    from simlab.simulators.spiking import Drive

SIGNAL_STEP = 5e-4
"""How often the shared signals change [s]: ten times within their time constant."""

MOST_SHARED = 0.9
"""Share of a neuron's input variance that shared signals may make: the rest is its own."""

ENOUGH = 0.9
"""Of the correlation that was asked for: where shared signals make less, they are refused."""

LATENCIES = 6
"""So many different ones there are in a population."""


@dataclass(frozen=True)
class CommonDrive:
    """The neurons of `like` with every synapse cut, and shared inputs in their place.

        tau dV_i/dt = rest - V_i + mean_i + sum_k L_ki z_k(t - l_i) + sigma_i sqrt(2 tau) xi_i(t),
        z_k: unit-variance Ornstein-Uhlenbeck processes of time constant `drive_time_constant`, or such a one and a
        slow one; l_i: latencies between 0 and `latency_spread`

    Each subject is matched, without simulation, to a twin drawn from `like`. Mean-field theory gives each neuron the
    mean and the variance of all input that it has in the twin's network, hence its rate there. Linear response theory
    gives the twin's count correlations; their mean m and standard deviation s over pairs set the loadings: L_ki = a_ki
    times (neuron i's output noise / its gain), so that the correlation of i and j is sum_k a_ki a_kj, with a_k of
    mean sqrt(m / n_drives) and a spread that gives s. The noise xi makes up the rest of each neuron's variance.
    Sources of the theory: simlab.simulators.lif_theory.

    With a `correlation`, that of cortex say, m is made by a net input of the same size in all neurons instead, fast and
    slow (`slow_share`), so that neurons of high gain correlate more (de la Rocha et al. 2007, Nature 448:802); their
    means are such that rates stay. Shared signals make up to `MOST_SHARED` of a neuron's variance; where that is not
    enough for what is asked, the reachable maximum is told.

    Of a `cortical_patch` it copies the dials too: circuits.networks.patch_rival.
    """

    name: ClassVar[str] = "common_drive"
    mechanism: ClassVar[str] = "common drive"
    twin_of: ClassVar[tuple[str, ...]] = ("balanced_ei", "cortical_patch")
    questions: ClassVar[tuple[str, ...]] = ("connectivity", "effect")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)
    regime: ClassVar[Regime] = cortex.CORTEX

    like: BalancedEI | CorticalPatch = field(default_factory=BalancedEI)
    """The network whose rates and correlations it copies."""
    correlation: Annotated[float | None, Within(0, 0.9)] = None
    """Mean count correlation in 0.1 s; None: its twin's. 0.05 to 0.2 in awake cortex (Cohen & Kohn 2011)."""
    n_drives: Count = 5  # shared signals: a handful of dimensions (Williamson et al. 2016; Huang et al. 2019)
    drive_time_constant: Annotated[float, Within(SIGNAL_STEP, 1, "s")] = 5e-3
    """s; shared spikes seen through fast synapses (Vogels & Abbott 2005; Bair et al. 2001)."""
    slow_time_constant: Annotated[float, Within(SIGNAL_STEP, 10, "s")] = 0.1  # s; 50 to 200 ms (Smith & Kohn 2008)
    slow_share: Share = 0.7
    """Of the shared variance where `correlation` is given (Smith & Kohn 2008); what copies synapses is fast alone."""
    latency_spread: Delay = 0.0
    """s; neurons receive the shared signals at times that differ up to so much: correlograms peak off zero."""
    strength: Annotated[float, Within(0, 1000)] = 1.0  # of the matched correlations; 0 leaves independent neurons

    def __post_init__(self) -> None:
        check_fields(self)

    def imitating(self, circuit: BalancedEI | CorticalPatch) -> CommonDrive:
        """A copy that is matched to this network."""
        return replace(self, like=circuit)

    @property
    def mixture(self) -> Mixture:
        """Time constants and shares of the shared signals."""
        slow = 0.0 if self.correlation is None else self.slow_share
        return Mixture((self.drive_time_constant, self.slow_time_constant), (1 - slow, slow))

    def subject(self, rng: np.random.Generator) -> CommonDriveSubject | PatchRival:
        """The neurons of one twin, with shared signals in place of its synapses."""
        from simlab.simulators.lif_theory import count_correlations

        if isinstance(self.like, CorticalPatch):
            signals = Signals(self.correlation, self.strength, self.mixture)
            patch = self.like.subject(rng)
            return PatchRival.of(self.name, patch, signals, self.latencies(rng), rng.spawn(1)[0])
        twin = self.like.subject(rng)
        point = twin.working_point
        correlations = count_correlations(self.like.neuron, twin.jumps, point)
        pairs = correlations[np.triu_indices(len(correlations), 1)]
        mean = max(float(pairs.mean()), 0.0) if self.correlation is None else self.correlation
        loading = self._loading(point, mean * self.strength, float(pairs.std()) * self.strength, rng)
        latency = self.latencies(rng)
        return CommonDriveSubject(self, self._settled(point, loading), loading, latency, unconnected.places(twin))

    def latencies(self, rng: np.random.Generator) -> np.ndarray:
        """(neuron,) [s]."""
        return rng.integers(0, LATENCIES, self.like.n_neurons) * self.latency_spread / (LATENCIES - 1)

    def _loading(self, point: WorkingPoint, mean: float, sd: float, rng: np.random.Generator) -> np.ndarray:
        """(drive, neuron) [V]: what makes count correlations of this mean and sd over pairs."""
        uniform = self.correlation is not None
        neuron = self.like.neuron
        gain, noise = neuron.gain(*point.input), point.rate * neuron.interval_cv(*point.input) ** 2
        loading = self._shares(0.0 if uniform else mean, sd, rng) * np.sqrt(noise / self._signal_power()) / gain
        if uniform and mean > 0:
            most = np.sqrt(MOST_SHARED / self.mixture.potential_share(neuron.membrane_time_constant)) * point.sd
            everywhere = np.ones((len(gain), len(gain)))
            net = unseen_input.common_sd(mean, neuron, point, everywhere, self.mixture.count_power(), most)
            loading = loading + net / np.sqrt(self.n_drives)
        for factor in np.geomspace(1, 20, 40):  # where some neurons can take no more, others take it
            cut = self._cut(point, factor * loading)
            reached = self._reached(cut * gain, noise)
            if reached >= ENOUGH * mean:
                return cut
        raise SimlabError(
            f"shared signals that make {MOST_SHARED:g} of each neuron's noise reach a mean count correlation of "
            f"{reached:.3f}, got {mean:.3g} to reach: lower `strength` or `correlation`, or make the signals slower"
        )

    def _cut(self, point: WorkingPoint, loading: np.ndarray) -> np.ndarray:
        """No more than `MOST_SHARED` of a neuron's variance."""
        return loading * np.minimum(1.0, np.sqrt(MOST_SHARED * point.sd**2 / np.maximum(self._shared(loading), 1e-30)))

    def _shares(self, mean: float, sd: float, rng: np.random.Generator) -> np.ndarray:
        """a (drive, neuron): correlations sum_k a_ki a_kj of this mean and sd over pairs."""
        n = self.like.n_neurons
        centre = mean / self.n_drives  # squared mean of the shares
        spread = np.sqrt(centre**2 + sd**2 / self.n_drives) - centre  # their variance
        shares = rng.standard_normal((self.n_drives, n))
        shares -= shares.mean(axis=1, keepdims=True)
        shares *= np.sqrt(spread) / np.maximum(shares.std(axis=1, keepdims=True), 1e-12)
        # Over pairs of different neurons, shares that sum to zero correlate by -spread/(n-1): made up for here.
        return shares + np.sqrt(centre + spread / (n - 1))

    def _reached(self, modulation: np.ndarray, noise: np.ndarray) -> float:
        """Mean count correlation over pairs, to first order, of rates modulated by so much (drive, neuron) [Hz]."""
        unit = modulation * np.sqrt(self._signal_power() / np.maximum(noise, 1e-9))
        if self.correlation is not None:
            unit = unit / np.sqrt(1 + (unit**2).sum(axis=0))
        matrix, n = unit.T @ unit, unit.shape[1]
        return float((matrix.sum() - np.trace(matrix)) / (n * (n - 1)))

    def _signal_power(self) -> float:
        """Power of z_k [1/Hz]: over a count's window, or at frequency zero: 2 x its time constant but for the steps."""
        if self.correlation is not None:
            return self.mixture.count_power() / WINDOW
        decay = np.exp(-SIGNAL_STEP / self.drive_time_constant)
        return float(SIGNAL_STEP * (1 + decay) / (1 - decay))

    def _shared(self, loading: np.ndarray) -> np.ndarray:
        """(neuron,) [V2]: variance of the potentials that shared signals make."""
        return (loading**2).sum(axis=0) * self.mixture.potential_share(self.like.membrane_time_constant)

    def _settled(self, point: WorkingPoint, loading: np.ndarray) -> WorkingPoint:
        """Mean and private sd with which neurons have the point's variance and rates; rate is the point's."""
        from simlab.simulators.lif_theory import WorkingPoint

        private = np.sqrt(point.sd**2 - self._shared(loading))
        if self.correlation is None:
            return WorkingPoint(point.rate, point.mean, private)
        fast, slow = (share * (loading**2).sum(axis=0) for share in self.mixture.shares)
        ratio = self.drive_time_constant / self.like.membrane_time_constant
        noise = private**2 + fast * ratio  # of white noise with the power of the fast part
        at_rest = WorkingPoint(point.rate, point.mean, np.sqrt(noise), np.sqrt(ratio) * fast * ratio / noise)
        offset = unseen_input.steadied(self.like.neuron, at_rest, np.sqrt(slow))
        return WorkingPoint(point.rate, point.mean + offset, private)


@dataclass(frozen=True, eq=False)
class CommonDriveSubject:
    """One population: rates of its twin, mean and private sd; loading (drive, neuron) [V], latency (neuron,) [s]."""

    circuit: CommonDrive
    matched: WorkingPoint
    loading: np.ndarray
    latency: np.ndarray
    anatomy: xr.Dataset

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Spontaneous activity: nothing is shown."""
        return Session(trials, duration)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with the spikes of all neurons."""
        from simlab.simulators.spiking import SpikingNetwork, simulate

        like = self.circuit.like
        assert isinstance(like, BalancedEI)
        neurons = lif(like, self.matched.mean, self.matched.sd, drive=True)
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
        from simlab.simulators.spiking import Drive

        circuit = self.circuit
        burn_in = circuit.like.burn_in
        steps = int(np.ceil((burn_in + session.duration) / SIGNAL_STEP)) + 1
        signal = circuit.mixture.paths((session.trials, steps, circuit.n_drives), SIGNAL_STEP, rng)
        drive = Drive("drive", signal, SIGNAL_STEP, loading=self.loading, unit="volt", start=-burn_in)
        return unseen_input.late(drive, self.latency) if circuit.latency_spread else drive

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`connectivity` and `effect`: no synapse at all, and so no response."""
        return unconnected.truth(self.circuit.name, question, self.circuit.like.n_neurons)
