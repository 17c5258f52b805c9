"""Complex cells of the visual cortex: the energy of two Gabor filters in quadrature, and spikes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from circuits.coding import visual
from circuits.coding.v1_simple import VISUAL_CORTEX
from circuits.coding.visual import Cells, Look, MeanRate, Spread, VisualSubject
from simlab.contracts import Regime
from simlab.rules import check_fields
from simlab.rules.quantities import Share


@dataclass(frozen=True)
class V1Complex:
    """The energy model (Adelson & Bergen 1985, J Opt Soc Am A 2:284).

        rate_i = r_i ( spontaneous + (1 - spontaneous) ((w_i . s)^2 + (v_i . s)^2) / 2 )   while frame s is shown

    w, v: two Gabors that differ in phase alone, by a quarter of a turn. The rest is as in `v1_simple`. As the rate is
    the same for s and -s, the average frame before a spike is zero: theory, not an accident of the sample.

    Truth of `receptive_field`: the plane of w and v.
    """

    name: ClassVar[str] = "v1_complex"
    mechanism: ClassVar[str] = "energy of two filters"
    questions: ClassVar[tuple[str, ...]] = ("receptive_field", "prediction", "connectivity")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)
    regime: ClassVar[Regime] = VISUAL_CORTEX

    n_neurons: Cells = 12
    mean_rate: MeanRate = 5.0  # Hz, median over cells
    rate_spread: Spread = 0.5  # standard deviation of log rates over cells
    spontaneous: Share = 0.1  # of the mean rate
    look: Look = field(default_factory=Look)

    def __post_init__(self) -> None:
        check_fields(self)

    def subject(self, rng: np.random.Generator) -> VisualSubject:
        """One animal: its cells' filters and rates."""
        pair = visual.gabors(self.n_neurons, self.look.side, rng)
        first, second = (visual.unit_drive(part, self.look.side, self.look.frames) for part in pair)

        def energy(frames: np.ndarray) -> np.ndarray:
            return np.asarray(((frames @ first.T) ** 2 + (frames @ second.T) ** 2) / 2)

        return VisualSubject.responding(self, (first, second), energy, rng)
