"""The network of `clustered_ei` without clusters: as many synapses, of one mean weight, between any two neurons."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from circuits.networks import cortex
from circuits.networks.clustered_ei import ClusteredEI, ClusteredSubject
from simlab.contracts import Regime
from simlab.rules import check_fields


@dataclass(frozen=True)
class UnclusteredEI:
    """The neurons of `like`, each contacting all others alike: the uniform network of Litwin-Kumar & Doiron (2012).

    Numbers of synapses and mean weights are those of `like` (theirs, at its size), and nothing else differs: it fires
    asynchronously, with counts that vary less than those of Poisson processes. So it is a control and no twin: that
    its rates vary less tells any recording of a second from one of `like`.
    """

    name: ClassVar[str] = "unclustered_ei"
    mechanism: ClassVar[str] = "homogeneous wiring"
    questions: ClassVar[tuple[str, ...]] = ("assemblies", "connectivity", "cell_type")
    modalities: ClassVar[tuple[str, ...]] = ("spikes", "connectome")
    regime: ClassVar[Regime] = cortex.CORTEX

    like: ClusteredEI = field(default_factory=ClusteredEI)  # whose neurons these are

    def __post_init__(self) -> None:
        check_fields(self)

    def imitating(self, circuit: ClusteredEI) -> UnclusteredEI:
        """A copy with these neurons."""
        return replace(self, like=circuit)

    def subject(self, rng: np.random.Generator) -> ClusteredSubject:
        """One network."""
        return ClusteredSubject.drawn(self, self.like, np.zeros(self.like.n_excitatory, dtype=int), rng)
