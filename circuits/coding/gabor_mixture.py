"""Cells that add up many Gabor filters' responses: a rich basis for simple and complex cells alike, and neither."""

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


@dataclass(frozen=True)
class GaborMixture:
    """Pooling over filters that have nothing in common.

        h_jk = 2 [ w_j . s ]+^2, 2 [ -w_j . s ]+^2, and the same of v_j,   k = 1..4
        rate_i = r_i ( spontaneous + (1 - spontaneous) sum_jk m_ijk h_jk )

    w_j, v_j: `filters` pairs of Gabors in quadrature, as of `v1_complex`; m: exponential, drawn for each cell, that sum
    to 1. Sums of a pair's four responses are energies, single ones those of simple cells: a regression on as many cells
    as there are responses can have either, of every filter in the bank. No cell is either. Rates and spikes are as in
    `v1_simple`. After the V1-like banks that deep networks are held against; as a candidate, the better basis with the
    wrong mechanism.
    """

    name: ClassVar[str] = "gabor_mixture"
    mechanism: ClassVar[str] = "mixture of filters"
    questions: ClassVar[tuple[str, ...]] = ("prediction", "connectivity")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)
    regime: ClassVar[Regime] = VISUAL_CORTEX

    n_neurons: Cells = 12
    filters: Annotated[int, Within(1, 2_000)] = 100
    mean_rate: MeanRate = 5.0  # Hz, median over cells
    rate_spread: Spread = 0.5  # standard deviation of log rates over cells
    spontaneous: Share = 0.1  # of the mean rate
    look: Look = field(default_factory=Look)

    def __post_init__(self) -> None:
        check_fields(self)

    def subject(self, rng: np.random.Generator) -> VisualSubject:
        """One animal: its bank of filters, who pools which, and its cells' rates."""
        look = self.look
        pair = (visual.unit_drive(part, look.side, look.frames) for part in visual.gabors(self.filters, look.side, rng))
        bank = np.concatenate(list(pair))
        pools = rng.exponential(size=(self.n_neurons, 2 * len(bank)))
        pools /= pools.sum(axis=1, keepdims=True)

        def response(frames: np.ndarray) -> np.ndarray:
            drive = frames @ bank.T
            return np.asarray(half_squared(np.concatenate([drive, -drive], axis=-1)) @ pools.T)

        nothing = np.zeros((self.n_neurons, look.side**2))
        return VisualSubject.responding(self, (nothing, nothing), response, rng)
