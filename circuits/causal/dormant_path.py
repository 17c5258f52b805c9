"""A true path beside one that nobody walks: where a patch along a direction works, and none of its units does it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

import numpy as np

from circuits.causal.linear_paths import TISSUE, Ablation, Baseline, Gain, LinearSubject, Model
from simlab.coalitions import MOST_PARTS
from simlab.rules import Within, check_fields, require

Few = Annotated[int, Within(0, MOST_PARTS)]
Noise = Annotated[float, Within(0, 10)]

DORMANT_WEIGHT = 2.0
"""Of the dormant path onto the behaviour, that of the true path being 1 (Makelov et al. 2023)."""


@dataclass(frozen=True)
class DormantPath:
    """Units h = [1, 0, 1] x and a behaviour y = [0, 2, 1] . h (Makelov, Lange & Nanda 2023, arXiv:2311.17030).

        h_i = a_i x + noise xi_i,   y = sum_i b_i h_i + behaviour_noise xi,   rate_i = baseline + gain h_i

    `disconnected` units follow x and are read by nobody (a = 1, b = 0); `dormant` ones drive the behaviour, 2 between
    them, and do not change with x (a = 0); `carriers` are the true path (a = 1, b = 1 between them). `mixed` units have
    a and b uniform in -1..1, the b divided by their number: partly this, partly that. x is +1 or -1 by turns, and the
    behaviour should have its sign.

    Exactly, without noise and mixed units: to set h along (e1 + e2) / sqrt 2 to what it is in the other condition makes
    the behaviour that of the other condition, a patch of 100% effect, though e1 or e2 alone has 0% and all of x comes
    through e3. The variation along e1 is read by nobody; the patch turns it into one along e2.

    In the game of `necessity` and `circuit` a unit is taken out by holding it at its baseline, so that carriers alone
    matter. With ablation="zero" it is silenced, as a rig's `silence` does: then the readout sees -2 baseline / gain in
    the place of a dormant unit, and the circuit is carrier AND dormant.
    """

    name: ClassVar[str] = "dormant_path"
    mechanism: ClassVar[str] = "path beside a dormant one"
    questions: ClassVar[tuple[str, ...]] = ("necessity", "circuit", "connectivity")
    modalities: ClassVar[tuple[str, ...]] = ("rate",)

    disconnected: Few = 1
    dormant: Few = 1
    carriers: Annotated[int, Within(1, MOST_PARTS)] = 1
    mixed: Few = 0
    noise: Noise = 0.1  # standard deviation of h over trials (assumed)
    behaviour_noise: Noise = 0.2  # of y (assumed)
    baseline: Baseline = 20.0  # Hz (cortex in vivo: 1 to 30)
    gain: Gain = 5.0  # Hz per unit of h
    ablation: Ablation = "mean"

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            self.n_units <= MOST_PARTS,
            f"disconnected, dormant, carriers and mixed units are {MOST_PARTS} at most together, got "
            f"{self.disconnected}, {self.dormant}, {self.carriers} and {self.mixed}: all sets of them are enumerated",
        )

    @property
    def n_units(self) -> int:
        """Of all kinds."""
        return self.disconnected + self.dormant + self.carriers + self.mixed

    def prior(self, rng: np.random.Generator) -> DormantPath:
        """One to three of each kind, up to two mixed ones, noise as it comes."""
        kinds = [int(n) for n in rng.integers(1, 4, 3)]
        return replace(
            self, disconnected=kinds[0], dormant=kinds[1], carriers=kinds[2], mixed=int(rng.integers(3)),
            noise=float(rng.uniform(0.02, 0.2)), behaviour_noise=float(rng.uniform(0.1, 0.4)),
        )  # fmt: skip

    def subject(self, rng: np.random.Generator) -> LinearSubject:
        """One animal: where its units lie, and what its mixed ones do."""
        tissue, mixed = rng.uniform(0, TISSUE, (self.n_units, 3)), rng.uniform(-1, 1, (2, self.mixed))
        shown = np.repeat([1.0, 0.0, 1.0], (self.disconnected, self.dormant, self.carriers))
        read = np.repeat(
            [0.0, DORMANT_WEIGHT / max(self.dormant, 1), 1.0 / self.carriers],
            (self.disconnected, self.dormant, self.carriers),
        )
        shown, read = np.append(shown, mixed[0]), np.append(read, mixed[1] / max(self.mixed, 1))
        return LinearSubject(self.name, self.equations(shown, read), tissue, self.ablation)

    def equations(self, shown: np.ndarray, read: np.ndarray) -> Model:
        """The equations for a (unit,) and b (unit,)."""
        n = self.n_units
        weights = np.zeros((n + 1, n + 1))
        weights[:n, n] = read
        noise = np.append(np.full(n, self.noise), self.behaviour_noise)
        nothing = np.zeros((1, n + 1))
        return Model(weights, shown, noise, nothing, nothing + 1, self.baseline, self.gain, (1.0, -1.0))
