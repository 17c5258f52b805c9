"""A decision by an attractor: two pools that hold themselves up and put the other down, until one has won."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
import xarray as xr

from circuits.causal.decision_network import DECAY, Pathway, Pool, borders, drawn, network
from circuits.decision import task
from circuits.decision.mean_field import Competition
from circuits.decision.task import Coherences
from simlab import truths
from simlab.contracts import Regime
from simlab.data import activity, anatomy, bin_spikes
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Drive, Noise, Pause, Step
from simlab.session import Session

if TYPE_CHECKING:
    from simlab.simulators.spiking import Spikes

Size = Annotated[int, Within(2, 2000)]
Strength = Annotated[float, Within(0, 0.02, "V s")]
"""How far a pathway moves the mean potential per rate of its source: 1 mV per Hz is strong."""

RESPONSE = 0.2
"""Share of the trial, at its end, in which the choice is read off the pools."""

GRID = 0.01
"""s, between samples of the latent."""


@dataclass(frozen=True)
class DecisionAttractor:
    """Two selective pools with slow (NMDA) self-excitation and common inhibition: winner takes all.

        left -> left, right -> right (strong, slow),   left <-> right (weak, slow)
        left, right -> inhibitory (fast) -> left, right

    The network of Wang (2002, Neuron 36:955), reduced in size: the equations are those of
    `circuits.causal.decision_network`, whose synapses are currents that do not saturate, so that inhibition bounds the
    rates. A stimulus drives both pools alike, and the evidence one more than the other. At the stimulus's drive the
    state of equal rates is a saddle: noise and evidence tip it, the difference grows with a time constant of
    the synapses' over the excess gain, and ends in one of two states in which one pool fires and the other hardly does.
    These two are what makes it `bistable`; `circuits.decision.mean_field` finds them, and a circuit without them
    (weaker self-excitation) tells that its dynamics are a fixed point.

    Latents are the slow synaptic activations of both pools, as rates [Hz]: the variables of the reduction of Wong &
    Wang (2006, J Neurosci 26:1314). They follow from the spikes, exactly but for the trial's first 0.1 s.
    """

    name: ClassVar[str] = "decision_attractor"
    mechanism: ClassVar[str] = "attractor decision"
    questions: ClassVar[tuple[str, ...]] = ("dynamics", "latents", "connectivity", "cell_type")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)
    regime: ClassVar[Regime] = Regime(
        "cortical rates; Wang 2002: 3 Hz at rest, 20 to 40 Hz of the winner; intervals of won and lost trials together",
        rate=(2, 40), silent=(0, 0.1), interval_cv=(0.5, 2.5), fano=(0.4, 3.0), correlation=(-0.1, 0.3),
    )  # fmt: skip

    n_selective: Size = 40  # of either pool (Wang 2002: 240)
    n_inhibitory: Size = 20  # (Wang 2002: 400)
    connection_probability: Annotated[float, Within(0.05, 1)] = 0.5
    coherences: Coherences = (0.032, 0.064, 0.128)
    evidence_gain: Drive = 4e-3  # V per unit of coherence, up for the one side and down for the other
    stimulus_drive: Drive = 4e-3  # V, of any stimulus, to both pools
    external: Drive = 9e-3  # V from rest: 4 Hz before the stimulus
    external_inhibitory: Drive = 6.2e-3  # V
    noise: Noise = 5e-3
    """V, sd of the free potential, private to each neuron; 2 to 6 mV in vivo (Destexhe et al. 2003)."""
    self_excitation: Strength = 0.55e-3  # of a pool onto itself
    cross_excitation: Strength = 0.07e-3  # onto the other (Wang 2002: w- < 1)
    excitation: Strength = 0.4e-3  # of each pool onto the inhibitory one
    inhibition: Strength = 0.38e-3  # of that onto each pool
    burn_in: Pause = 0.3  # s before each trial, three of the slowest time constants
    dt: Step = 5e-4  # s; a fortieth of the membrane time constant, a tenth of the fastest synapse's

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            self.dt <= 1e-3, f"dt must be at most 1e-3 s, a fifth of the fastest synapse's, got {self.dt}: use 5e-4"
        )

    def prior(self, rng: np.random.Generator) -> DecisionAttractor:
        """Strengths and gain 8% around the default: further off, one side wins before any evidence or none does."""
        near = rng.uniform(0.92, 1.08, 4).tolist()
        return replace(
            self, self_excitation=self.self_excitation * near[0], excitation=self.excitation * near[1],
            inhibition=self.inhibition * near[2], evidence_gain=self.evidence_gain * near[3],
        )  # fmt: skip

    def pools(self) -> tuple[Pool, ...]:
        """Left, right and inhibitory."""
        left, right = (Pool(side, "cortex", self.n_selective, self.external) for side in ("left", "right"))
        return left, right, Pool("inhibitory", "cortex", self.n_inhibitory, self.external_inhibitory, "I")

    def pathways(self) -> list[Pathway]:
        """Who excites and inhibits whom."""
        found = []
        for one, other in (("left", "right"), ("right", "left")):
            found += [
                Pathway(one, one, self.self_excitation, "slow"),
                Pathway(one, other, self.cross_excitation, "slow"),
                Pathway(one, "inhibitory", self.excitation),
                Pathway("inhibitory", one, self.inhibition, "inhibition"),
            ]
        return found

    def competition(self) -> Competition:
        """Its mean field under the stimulus, with no evidence for either side."""
        selective, inhibitory = (
            max(1, round(self.connection_probability * n)) for n in (self.n_selective, self.n_inhibitory)
        )
        return Competition(
            self.external + self.stimulus_drive, self.external_inhibitory, self.noise, self.self_excitation,
            self.cross_excitation, self.excitation, self.inhibition, selective, inhibitory, self.dt,
        )  # fmt: skip

    def subject(self, rng: np.random.Generator) -> DecisionAttractorSubject:
        """One animal: who is connected to whom, in what order neurons are numbered, and where they lie."""
        pools = self.pools()
        weights = drawn(pools, self.pathways(), self.connection_probability, rng)
        kinds = [pool.kind for pool in pools for _ in range(pool.n_neurons)]
        place = rng.uniform(0, task.TISSUE, (len(kinds), 3))
        return DecisionAttractorSubject(self, weights, anatomy(place, kinds, "cortex"))


@dataclass(frozen=True, eq=False)
class DecisionAttractorSubject:
    """One individual: weights (pre, post) [V s] by current, and anatomy; left, right and inhibitory in turn."""

    circuit: DecisionAttractor
    weights: dict[str, np.ndarray]
    anatomy: xr.Dataset

    @property
    def place(self) -> dict[str, slice]:
        """The neurons of each pool."""
        return borders(self.circuit.pools())

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Evidence for either side; see `circuits.decision.task`."""
        return task.session(self.circuit.coherences, trials, duration, rng)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """Spikes, and whether each trial's choice was right: the pool that fires more at the end."""
        spikes = self._simulate(session, rng)
        n = self.anatomy.sizes["neuron"]
        late = (spikes.time >= (1 - RESPONSE) * session.duration) & (spikes.neuron < 2 * self.circuit.n_selective)
        side = np.where(spikes.neuron[late] < self.circuit.n_selective, -1, 1)
        difference = np.bincount(spikes.trial[late], side, session.trials)
        outcome = np.where(difference == 0, 0.5, np.sign(difference) == task.right_side(session))
        return activity(session, n, spikes=spikes.columns, outcome=outcome).assign_attrs(engine=spikes.engine)

    def _simulate(self, session: Session, rng: np.random.Generator) -> Spikes:
        from simlab.simulators.spiking import Drive as Input
        from simlab.simulators.spiking import simulate

        c, pools = self.circuit, self.circuit.pools()
        external = np.repeat([p.external for p in pools], [p.n_neurons for p in pools])
        signal, interval = self._evidence(session)
        loading = np.zeros((2, len(external)))
        for side, name in enumerate(("left", "right")):
            loading[side, self.place[name]] = 1.0
        inputs = [Input("evidence", signal, interval, loading, "volt")]
        cells = network(c.name, self.weights, external, c.noise)
        return simulate(cells, session, rng, drives=inputs, burn_in=c.burn_in, dt=c.dt)

    def _evidence(self, session: Session) -> tuple[np.ndarray, float]:
        """(trial, frame, side) [V]: what the pools are driven by; length of a frame [s]."""
        if session.stimulus is None:
            return np.zeros((session.trials, 1, 2)), session.duration
        shown, c = session.stimulus.values[:, :, 0], self.circuit
        gains = np.array([-c.evidence_gain, c.evidence_gain])
        return np.nan_to_num(c.stimulus_drive + shown[:, :, None] * gains), session.stimulus.interval

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`dynamics` by its mean field; `latents` from the spikes; `connectivity` [V/Hz]; `cell_type`."""
        answers = {
            "dynamics": lambda: truths.one(label=_regime(self.circuit.competition())),
            "latents": lambda: self.latents(activity),
            "connectivity": lambda: truths.wiring(
                self.weights["fast"] + self.weights["slow"] - self.weights["inhibition"], "V/Hz"
            ),
            "cell_type": lambda: truths.cell_types(self.anatomy),
        }
        return truths.among(self.circuit.name, question, answers)

    def latents(self, activity: xr.Dataset | None) -> xr.Dataset:
        """(trial, time, 2) [Hz]: slow synaptic activation of the left and the right pool, every 10 ms.

        Before the trial each pool is taken to have fired as in its first tau. Raises SimlabError without an activity.
        """
        require(activity is not None, "latents are of an activity, got None: run a session first")
        counts = bin_spikes(activity, GRID)  # type: ignore[arg-type]
        pools = [counts.values[:, :, self.place[side]].mean(-1) / GRID for side in ("left", "right")]
        rates, tau = np.stack(pools, axis=-1), DECAY["slow"]
        keep = np.exp(-GRID / tau)
        state = rates[:, : max(1, round(tau / GRID))].mean(axis=1)
        found = np.empty_like(rates)
        for step in range(rates.shape[1]):
            state = keep * state + (1 - keep) * rates[:, step]
            found[:, step] = state
        return truths.latents(found, counts["time"].values + GRID)


@lru_cache(maxsize=256)
def _regime(competition: Competition) -> str:
    return competition.regime()
