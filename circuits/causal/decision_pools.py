"""A decision between left and right by spiking areas: causal methods meet noise, redundancy and a bystander."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

import numpy as np

from circuits.causal.decision_network import Pathway, Pool
from circuits.causal.decision_subject import DecisionSubject
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Drive, Noise, Pause, Step

Size = Annotated[int, Within(2, 1000)]
"""Neurons of a pool."""

Strength = Annotated[float, Within(0, 0.02, "V s")]
"""How far a pathway moves the mean potential per rate of its source: 1 mV per Hz is strong."""

Coherence = Annotated[float, Within(0, 5, excluding=(0,))]

SIDES = ("left", "right")

SENSORY = 11.5e-3
"""V, mean of a sensory neuron's free potential before a stimulus, from rest: some 6 Hz."""


@dataclass(frozen=True)
class DecisionPools:
    """Six areas of LIF neurons: two that see the evidence, one that competes, one that acts, and two more.

        sensory a, b -> integrator (left <-> right by shared inhibition, slow self-excitation) -> motor
        arousal -> integrator (both sides),   integrator -> bystander -> nothing

    The equations are those of `circuits.causal.decision_network`. Each area but arousal has a pool for either side. The
    integrator is the network of Wang (2002, Neuron 36:955), reduced: two pools whose slow (NMDA) self-excitation and
    common inhibition amplify the difference between their inputs until one wins; synapses are currents that do not
    saturate, inhibition alone bounds the rates, and a few neurons stand for thousands, so that noise is larger.
    The sensory areas are redundant: they see the same evidence (with the same noise of the frames), each with noise of
    its own, and either alone does most of the work. The bystander is driven by the integrator: it is tuned to the
    choice and correlated with it trial by trial, and drives nothing. Arousal is tonic and untuned.

    Silencing one neuron does next to nothing, as each is one of a dozen; silencing areas (`region`) shows roles. True
    importances are those of areas: the Shapley value among all 64 sets of areas, in equal shares for their neurons.
    """

    name: ClassVar[str] = "decision_pools"
    mechanism: ClassVar[str] = "redundant evidence"
    questions: ClassVar[tuple[str, ...]] = ("necessity", "connectivity", "cell_type")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)

    n_sensory: Size = 20  # of either side of each sensory area
    n_arousal: Size = 16
    n_integrating: Size = 20  # of either side
    n_inhibitory: Size = 12
    n_motor: Size = 8  # of either side
    n_bystander: Size = 10  # of either side
    connection_probability: Annotated[float, Within(0.05, 1)] = 0.5
    """Share of a pool that each neuron of a target gets input from: few neurons stand for many."""
    coherences: tuple[Coherence, Coherence, Coherence] = (0.15, 0.3, 0.6)
    """Strength of the evidence, to either side, as often as one another (moving dots: 0.03 to 0.5; Wang 2002)."""
    evidence_noise: Annotated[float, Within(0, 10)] = 0.3
    """Standard deviation of the evidence over frames of 50 ms."""
    evidence_gain: Drive = 4e-3  # V per unit of coherence, up for the one side and down for the other
    stimulus_drive: Drive = 2.5e-3  # V, of any stimulus, whatever its side
    noise: Noise = 5e-3
    """V, sd of the free potential, private to each neuron; 2 to 6 mV in vivo (Destexhe et al. 2003)."""
    feedforward: Strength = 0.35e-3  # of each sensory area onto the integrator
    self_excitation: Strength = 2.0e-3  # of each side of the integrator, by slow synapses
    inhibition: Strength = 1.2e-3  # of the common inhibitory pool onto both sides
    tonic: Strength = 0.4e-3  # of arousal onto both sides
    burn_in: Pause = 0.3  # s before each trial, three of the slowest time constants
    dt: Step = 5e-4  # s; a fortieth of the membrane time constant, a tenth of the fastest synapse's
    truth_trials: Annotated[int, Within(6, 10_000)] = 96
    """Of each of the 64 sets of areas, from which importances are estimated."""

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            self.dt <= 1e-3, f"dt must be at most 1e-3 s, a fifth of the fastest synapse's, got {self.dt}: use 5e-4"
        )

    def prior(self, rng: np.random.Generator) -> DecisionPools:
        """Evidence, noise and strengths 15% around the default: further off, one side always wins or none does."""

        def near(value: float) -> float:
            return float(value * rng.uniform(0.85, 1.15))

        return replace(
            self, evidence_gain=near(self.evidence_gain), evidence_noise=near(self.evidence_noise),
            feedforward=near(self.feedforward), self_excitation=near(self.self_excitation),
            inhibition=near(self.inhibition), tonic=near(self.tonic),
        )  # fmt: skip

    def subject(self, rng: np.random.Generator) -> DecisionSubject:
        """One animal: which neurons are connected, and where they lie."""
        areas = ("sensory a", "sensory b")
        pathways = [
            Pathway(f"{area} {side}", f"integrator {side}", self.feedforward) for area in areas for side in SIDES
        ]
        return DecisionSubject.wired(self, self.name, self.pools(), [*pathways, *self.core()], areas, rng)

    def pools(self, second: float = SENSORY) -> list[Pool]:
        """All pools; `second`: what the second sensory area is driven by from outside [V]."""
        return [
            *_sides("sensory a", self.n_sensory, SENSORY),
            *_sides("sensory b", self.n_sensory, second),
            Pool("arousal", "arousal", self.n_arousal, 13.5e-3),
            *_sides("integrator", self.n_integrating, 3.5e-3),
            Pool("inhibitory", "integrator", self.n_inhibitory, 9e-3, "I"),
            *_sides("motor", self.n_motor, 7e-3),
            *_sides("bystander", self.n_bystander, 9e-3),
        ]

    def core(self) -> list[Pathway]:
        """The pathways from the integrator and arousal on."""
        found = []
        for side in SIDES:
            mine = f"integrator {side}"
            found += [
                Pathway("arousal", mine, self.tonic),
                Pathway(mine, mine, self.self_excitation, "slow"),
                Pathway(mine, "inhibitory", 0.8e-3),
                Pathway("inhibitory", mine, self.inhibition, "inhibition"),
                Pathway(mine, f"motor {side}", 0.7e-3),
                Pathway(mine, f"bystander {side}", 0.25e-3),
            ]
        return found


def _sides(area: str, n_neurons: int, external: float) -> tuple[Pool, Pool]:
    left, right = (Pool(f"{area} {side}", area, n_neurons, external) for side in SIDES)
    return left, right
