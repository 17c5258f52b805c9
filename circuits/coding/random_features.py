"""Cells that mix very many random functions of the frames: as good a basis as any, and nobody's mechanism."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import numpy as np

from circuits.coding import visual
from circuits.coding.v1_simple import VISUAL_CORTEX, half_squared
from circuits.coding.visual import Cells, Look, MeanRate, Spread, VisualSubject
from simlab.contracts import Regime
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Share

CALIBRATION = 2000
"""Frames over which a cell's drive is centred and scaled."""


@dataclass(frozen=True)
class RandomFeatures:
    """A network of two layers with random weights (Rahimi & Recht 2007, NeurIPS 20, for regression on such features).

        h_j = [ v_j . s - b_j ]+,   rate_i = r_i ( spontaneous + (1 - spontaneous) 2 [ u_i . (h - m) / sd_i ]+^2 )

    v_j: from the unit sphere, scaled so that v_j . s has variance 1; b_j: uniform in -1..1; u_i: standard normal; m,
    sd_i: mean and spread of what they are of, over frames of its own. Every cell depends on all `hidden` functions, and
    so on every direction of the frames: none has a filter. Few such cells foretell little, and a thousand about
    whatever is a smooth function of few directions. Rates and spikes are as in `v1_simple`. It serves as a candidate
    model that sees everything and shares nothing; as a subject, it is one whose mechanism no model of V1 has.
    """

    name: ClassVar[str] = "random_features"
    mechanism: ClassVar[str] = "random mixture"
    questions: ClassVar[tuple[str, ...]] = ("prediction", "connectivity")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)
    regime: ClassVar[Regime] = VISUAL_CORTEX

    n_neurons: Cells = 12
    hidden: Annotated[int, Within(1, 10_000)] = 400
    mean_rate: MeanRate = 5.0  # Hz, median over cells
    rate_spread: Spread = 0.5  # standard deviation of log rates over cells
    spontaneous: Share = 0.1  # of the mean rate
    look: Look = field(default_factory=Look)

    def __post_init__(self) -> None:
        check_fields(self)

    def subject(self, rng: np.random.Generator) -> VisualSubject:
        """One animal: its weights and its cells' rates."""
        look = self.look
        first = visual.unit_drive(rng.standard_normal((self.hidden, look.side**2)), look.side, look.frames)
        bias = rng.uniform(-1, 1, self.hidden)
        second = rng.standard_normal((self.n_neurons, self.hidden))

        def mixed(frames: np.ndarray) -> np.ndarray:
            return np.asarray(np.maximum(frames @ first.T - bias, 0.0) @ second.T)

        usual = mixed(visual.shown((1, CALIBRATION), look.side, look.frames, rng))
        mean, spread = usual.mean(axis=(0, 1)), np.maximum(usual.std(axis=(0, 1)), 1e-9)
        nothing = np.zeros((self.n_neurons, look.side**2))
        return VisualSubject.responding(
            self, (nothing, nothing), lambda frames: half_squared((mixed(frames) - mean) / spread), rng
        )
