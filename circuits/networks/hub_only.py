"""Recorded neurons without a synapse among them, under hubs and hidden cells that are wired as in a true network."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from circuits.networks.hidden_hub import HiddenHub, HiddenHubSubject
from simlab.rules import check_fields


@dataclass(frozen=True)
class HubOnly:
    """A network of `like` in which every synapse between two recorded neurons is cut, and all others are left.

    Equations and matching are those of `hidden_hub`. Mean and noise of the external input make up for the synapses that
    are cut, so that each neuron keeps the mean and variance of its input, and its rate. What still joins recorded
    neurons are shared hubs, shared hidden neurons, and chains that run through either: to an instrument that sees
    recorded neurons alone (Subsample(regions=("recorded",))) there is no edge to be found, and a claimed one is false.
    """

    name: ClassVar[str] = "hub_only"
    mechanism: ClassVar[str] = "common drive"
    twin_of: ClassVar[tuple[str, ...]] = ("hidden_hub",)
    questions: ClassVar[tuple[str, ...]] = ("connectivity",)
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)

    like: HiddenHub = field(default_factory=HiddenHub)  # the network whose hubs and rates it copies

    def __post_init__(self) -> None:
        check_fields(self)

    def imitating(self, circuit: HiddenHub) -> HubOnly:
        """A copy that is matched to this network."""
        return replace(self, like=circuit)

    def subject(self, rng: np.random.Generator) -> HiddenHubSubject:
        """One twin, with the synapses among its recorded neurons cut."""
        twin = self.like.subject(rng)
        recorded = twin.anatomy["region"].values == "recorded"
        weights = np.where(recorded[:, None] & recorded, 0.0, twin.weights)
        external, external_sd = self.like.external(weights, *twin.wanted)
        return replace(twin, name=self.name, weights=weights, external=external, external_sd=external_sd)
