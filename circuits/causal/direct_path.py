"""The rival of the dormant path: the same units, of which the dormant ones are read by nobody."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from circuits.causal.dormant_path import DormantPath
from circuits.causal.linear_paths import LinearSubject
from simlab.rules import check_fields


@dataclass(frozen=True)
class DirectPath:
    """The circuit of `like` without its dormant path: h = [1, 0, 1] x, y = [0, 0, 1] . h.

    Rates, tuning and behaviour are the same, as dormant units change with nothing (their noise, which no longer reaches
    the behaviour, is given to it as its own). A patch along (e1 + e2) / sqrt 2 does nothing here: what works on a
    subspace here works through a path that is there.
    """

    name: ClassVar[str] = "direct_path"
    mechanism: ClassVar[str] = "path alone"
    twin_of: ClassVar[tuple[str, ...]] = ("dormant_path",)
    questions: ClassVar[tuple[str, ...]] = ("necessity", "circuit", "connectivity")
    modalities: ClassVar[tuple[str, ...]] = ("rate",)

    like: DormantPath = field(default_factory=DormantPath)

    def __post_init__(self) -> None:
        check_fields(self)

    def imitating(self, circuit: DormantPath) -> DirectPath:
        """A copy that is matched to this circuit."""
        return replace(self, like=circuit)

    def subject(self, rng: np.random.Generator) -> LinearSubject:
        """The animal that `like` draws, with the dormant units cut from the behaviour."""
        twin = self.like.subject(rng)
        weights, noise, n = twin.model.weights.copy(), twin.model.noise.copy(), self.like.n_units
        cut = slice(self.like.disconnected, self.like.disconnected + self.like.dormant)
        noise[n] = np.sqrt(noise[n] ** 2 + ((weights[cut, n] * noise[cut]) ** 2).sum())
        weights[cut, n] = 0.0
        return replace(twin, name=self.name, model=replace(twin.model, weights=weights, noise=noise))
