"""Simple cells of the visual cortex: a Gabor filter, a half-squaring, and spikes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from circuits.coding import visual
from circuits.coding.visual import Cells, Look, MeanRate, Spread, VisualSubject
from simlab.contracts import Regime
from simlab.rules import check_fields
from simlab.rules.quantities import Share

VISUAL_CORTEX = Regime(
    "neurons of V1 that look at noise: 1 to 30 Hz, at least as variable as Poisson (Rust et al. 2005, Neuron 46:945)",
    rate=(0.5, 30), silent=(0, 0.2), interval_cv=(0.8, 2.5), fano=(0.8, 4.0), correlation=(-0.1, 0.2),
)  # fmt: skip


@dataclass(frozen=True)
class V1Simple:
    """Linear-nonlinear cells.

        rate_i = r_i ( spontaneous + (1 - spontaneous) 2 [ w_i . s ]+^2 )   while frame s is shown

    w: a Gabor (`circuits.coding.visual.gabors`), scaled so that w . s has variance 1: contrast gain control. Half-
    squaring is that of Heeger (1992, Vis Neurosci 9:181). Spikes are Poisson with a dead time of 2 ms. The response
    comes with the frame and has no time course of its own. Mean rates r are log-normal over cells.

    Truth of `receptive_field`: w. The spike-triggered average of white frames points along it (Chichilnisky 2001,
    Network 12:199); of natural frames it is blurred by their correlations.
    """

    name: ClassVar[str] = "v1_simple"
    mechanism: ClassVar[str] = "linear filter"
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
        first, _ = visual.gabors(self.n_neurons, self.look.side, rng)
        filters = visual.unit_drive(first, self.look.side, self.look.frames)
        nothing = np.zeros_like(filters)
        return VisualSubject.responding(self, (filters, nothing), lambda frames: half_squared(frames @ filters.T), rng)


def half_squared(drive: np.ndarray) -> np.ndarray:
    """2 [drive]+^2, of mean 1 where drive is a standard Gaussian."""
    return np.asarray(2 * np.maximum(drive, 0.0) ** 2)
