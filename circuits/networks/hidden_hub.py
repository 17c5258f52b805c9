"""A local network under hubs that nobody records: true synapses beside common input and chains through hidden cells."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
import xarray as xr

from circuits.networks import cortex
from circuits.networks.balanced_ei import BalancedEI, BalancedEISubject, lif
from simlab import truths
from simlab.contracts import Regime, SimlabError
from simlab.data import anatomy
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Share
from simlab.session import Session

if TYPE_CHECKING:
    from simlab.simulators.spiking import SpikingNetwork

HIGHEST_MEAN = 0.5
"""V above rest: the largest external input of a hub that is tried."""

MOST_OF_THE_NOISE = 0.5
"""Share of the external variance that the hubs of a drawn circuit may take the place of."""


@dataclass(frozen=True)
class HiddenHub:
    """A `local` network, a share of which is hidden, and hubs elsewhere that reach much of it with strong synapses.

        tau dV_i/dt = rest - V_i + mean_i + sd_i sqrt(2 tau) xi_i(t) + tau sum_j w_ji sum_k delta(t - t_jk - d_ji)

    over local neurons and hubs alike. The wiring among local neurons is that of a subject of `local`. Each hub reaches
    a local neuron with probability `hub_out_degree` and a lognormal potential of mean `hub_epsp`, and hears from one
    with `hub_in_degree` over a synapse such as those of `local`; hubs are excitatory and not connected to one another.
    So two recorded neurons may be connected, share a hub, or be joined by a chain through a hub or a hidden neuron, or
    several of these: what a method finds is confounded where it matters, beside true synapses (Brody 1999, Neural
    Comput 11:1537; Stevenson et al. 2008, Curr Opin Neurobiol 18:582). Few cells with many strong contacts: hubs of
    hippocampus (Bonifazi et al. 2009, Science 326:1419) and thalamic drivers (Sherman & Guillery 1998, PNAS 95:7121).

    mean_i and sd_i make up for the hubs, so that a local neuron has the mean and variance of all input, hence the rate,
    that mean-field theory gives it without any hub (the same for every strength and number of them); hubs get what
    makes them fire at `hub_rate`. Regions of the anatomy: `recorded` and `hidden`, both of the local network, and
    `hub`, all in one cube: which of them is seen is for the instrument to say, and Subsample(regions=("recorded",))
    never sees a hub. The truth are direct synapses.
    """

    name: ClassVar[str] = "hidden_hub"
    mechanism: ClassVar[str] = "recurrent network"
    questions: ClassVar[tuple[str, ...]] = ("connectivity",)
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)
    regime: ClassVar[Regime] = Regime(
        "asynchronous irregular cortex: rates of 1 to some 30 Hz (Buzsaki & Mizuseki 2014), CV near 1 (Softky & Koch "
        "1993), count correlations of 0 to 0.2 (Cohen & Kohn 2011)",
        rate=(0.5, 40.0),
        silent=(0.0, 0.3),
        interval_cv=(0.6, 1.4),
        fano=(0.5, 2.0),
        correlation=(-0.02, 0.2),
    )

    local: BalancedEI = field(default_factory=partial(BalancedEI, synaptic_time_constant=0.0))
    """The network that the hubs reach; its synapses make the potential jump, as the hubs' do."""
    hidden_share: Share = 0.4  # of the local neurons; a probe or a plane misses most, of which chains need a few
    n_hubs: Annotated[int, Within(0, 1000)] = 5
    hub_epsp: Annotated[float, Within(0, 0.02, "V")] = 2.5e-3
    """V, mean; thalamocortical cells: 1 to 3 mV in slices (Gil, Connors & Amitai 1999), 0.5 mV in vivo (Bruno &
    Sakmann 2006, Science 312:1622). Jumps of this size act up to twice as strongly as linear response says."""
    hub_epsp_spread: Annotated[float, Within(0, 2)] = 0.3  # sd of the log: of strong contacts none is enormous
    hub_out_degree: Share = 0.5  # Bruno & Sakmann 2006: 0.43 of a barrel's cells; Bonifazi et al. 2009: most connected
    hub_in_degree: Share = 0.1  # as any other neuron
    hub_rate: Annotated[float, Within(0.1, 200, "Hz")] = 20.0  # Hz; thalamic cells of awake animals: 10 to 40

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            self.local.synaptic_time_constant == 0,
            f"local must have a synaptic_time_constant of 0, got {self.local.synaptic_time_constant}: what hubs add is "
            "taken off outside by the theory of potentials that jump",
        )

    def prior(self, rng: np.random.Generator) -> HiddenHub:
        """Few or many hubs, weak or strong, that reach a part or nearly all of the network."""
        n_hubs, rate = int(rng.integers(2, 11)), float(rng.uniform(10, 40))
        cells = self.local
        # a neuron that all hubs reach gets no more than half of its fluctuations from them
        most = np.sqrt(MOST_OF_THE_NOISE * cells.external_sd**2 / (cells.membrane_time_constant / 2 * n_hubs * rate))
        epsp = float(rng.uniform(0.2, 1) * min(3e-3, most))
        return replace(self, n_hubs=n_hubs, hub_rate=rate, hub_epsp=epsp, hub_out_degree=float(rng.uniform(0.2, 0.7)))

    def subject(self, rng: np.random.Generator) -> HiddenHubSubject:
        """One local network, who of it is hidden, and whom its hubs reach and hear."""
        local, n = self.local.subject(rng), self.local.n_neurons
        region = np.array(["recorded"] * n + ["hub"] * self.n_hubs, object)
        region[rng.permutation(n)[: round(self.hidden_share * n)]] = "hidden"
        weights, delays = self._wired(local, rng)
        wanted = self._wanted(local)
        external, external_sd = self.external(weights, *wanted)
        return HiddenHubSubject(
            self.name, self.cells, weights, delays, external, external_sd, wanted, self._anatomy(local, region, rng)
        )

    def _wired(self, local: BalancedEISubject, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """weights [V] and delays [s] (pre, post) of the local network and its hubs."""
        n, shape = self.local.n_neurons, (self.n_hubs, self.local.n_neurons)
        weights, delays = (np.pad(of, (0, self.n_hubs)) for of in (local.weights, local.delays))
        weights[n:, :n] = _contacts(self.hub_epsp, self.hub_epsp_spread, self.hub_out_degree, shape, rng)
        heard = _contacts(self.local.epsp, self.local.epsp_spread, self.hub_in_degree, shape, rng).T
        inhibitory = (self.local.cell_types() == "I")[:, None]
        weights[:n, n:] = np.where(inhibitory & (heard > 0), -self.local.inhibition * self.local.epsp, heard)
        delays[n:, :n] = rng.uniform(*self.local.delay, shape)
        delays[:n, n:] = rng.uniform(*self.local.delay, shape).T
        return weights, delays

    @property
    def cells(self) -> BalancedEI:
        """The neurons' constants, of as many as there are in all."""
        return replace(self.local, n_neurons=self.local.n_neurons + self.n_hubs)

    def _wanted(self, local: BalancedEISubject) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rate [Hz], mean and sd [V] of all input (neuron,) that local neurons have without hubs, and hubs get."""
        point, noise = local.working_point, self.local.external_sd
        given = (self.hub_rate, _level(self.local, self.hub_rate, noise), noise)
        rate, mean, sd = (
            np.append(of, np.full(self.n_hubs, value))
            for of, value in zip((point.rate, point.mean, point.sd), given, strict=True)
        )
        return rate, mean, sd

    def external(
        self, weights: np.ndarray, rate: np.ndarray, mean: np.ndarray, sd: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Mean and sd [V] (neuron,) of what comes from outside, so that with these weights each has these in all."""
        tau = self.local.membrane_time_constant
        left = sd**2 - tau / 2 * rate @ weights**2
        if left.min() <= 0:
            raise SimlabError(
                f"synapses may not exceed a neuron's total input noise, got {1 - (left / sd**2).min():.2f} of its "
                "variance: lower `hub_epsp`, `hub_out_degree`, `hub_rate` or `n_hubs`"
            )
        return mean - tau * rate @ weights, np.sqrt(left)

    def _anatomy(self, local: BalancedEISubject, region: np.ndarray, rng: np.random.Generator) -> xr.Dataset:
        where = np.stack([local.anatomy[axis].values for axis in "xyz"], axis=1)
        hubs = rng.uniform(0, cortex.edge_of(self.local.n_neurons, self.local.density), (self.n_hubs, 3))
        types = [*self.local.cell_types().tolist(), *["E"] * self.n_hubs]
        return anatomy(np.concatenate([where, hubs]), types, region.tolist())


@dataclass(frozen=True, eq=False)
class HiddenHubSubject:
    """One network of local neurons, then hubs: weights (pre, post) [V], delays (pre, post) [s], external mean and sd
    (neuron,) [V], wanted: rate [Hz], mean and sd [V] of all input, (neuron,) each."""

    name: str
    cells: BalancedEI
    weights: np.ndarray
    delays: np.ndarray
    external: np.ndarray
    external_sd: np.ndarray
    wanted: tuple[np.ndarray, np.ndarray, np.ndarray]
    anatomy: xr.Dataset

    @property
    def network(self) -> SpikingNetwork:
        """What runs: neurons, and one synapse for each weight that is not zero."""
        from simlab.simulators.spiking import SpikingNetwork, SynapseSet

        pre, post = np.nonzero(self.weights)
        synapses = SynapseSet(pre, post, self.weights[pre, post], self.delays[pre, post], target="v")
        return SpikingNetwork((lif(self.cells, self.external, self.external_sd),), (synapses,), name=self.name)

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Spontaneous activity: nothing is shown."""
        return Session(trials, duration)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with the spikes of all neurons, hubs among them."""
        from simlab.simulators.spiking import simulate

        spikes = simulate(self.network, session, rng, burn_in=self.cells.burn_in, dt=self.cells.dt)
        return spikes.activity(session, self.cells.n_neurons)

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`connectivity`: the weights that ran [V], of direct synapses."""
        return truths.among(self.name, question, {"connectivity": lambda: truths.wiring(self.weights, "V")})


def _contacts(epsp: float, spread: float, share: float, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """(hub, neuron) [V] lognormal excitatory potentials, 0 where there is no contact; a hub at a time."""
    found = np.zeros(shape)
    for row in found:
        size = cortex.lognormal(rng, epsp, spread, (len(row),))
        row[:] = np.where(rng.random(len(row)) < share, size, 0.0)
    return found


def _level(cells: BalancedEI, rate: float, sd: float) -> float:
    """The mean input [V] at which a neuron fires at this rate [Hz]: Siegert's formula, inverted by bisection."""
    low, high = -HIGHEST_MEAN, HIGHEST_MEAN
    for _ in range(60):
        middle = (low + high) / 2
        slow = float(cells.neuron.rate(np.array([middle]), np.array([sd]))[0]) < rate
        low, high = (middle, high) if slow else (low, middle)
    if high >= HIGHEST_MEAN * (1 - 1e-9):
        raise SimlabError(
            f"hub_rate must be one that the neurons of `local` can fire at, got {rate} Hz: lower it, or shorten "
            f"their refractory period of {cells.refractory} s"
        )
    return middle
