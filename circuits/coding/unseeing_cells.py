"""Cells that respond to what nobody sees: the spikes of cells with filters, and nothing to do with the frames."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from circuits.coding import visual
from circuits.coding.sparse_coding_cortex import SparseCodingCortex
from circuits.coding.v1_complex import V1Complex
from circuits.coding.v1_simple import V1Simple
from circuits.coding.visual import Look, VisualSubject
from simlab.rules import check_fields


@dataclass(frozen=True)
class UnseeingCells:
    """The cells of `like`, looking at other frames than those that the experimenter shows, drawn by the same law.

        rates = those of `like`, for hidden frames

    Spikes of all cells together have the law that they have in `like`; none depends on the frames that are shown, so
    that a filter found in any is false.
    """

    name: ClassVar[str] = "unseeing_cells"
    mechanism: ClassVar[str] = "unseen input"
    twin_of: ClassVar[tuple[str, ...]] = ("v1_simple", "v1_complex", "sparse_coding_cortex")
    questions: ClassVar[tuple[str, ...]] = ("receptive_field", "connectivity")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)

    like: V1Simple | V1Complex | SparseCodingCortex = field(default_factory=V1Simple)  # whose cells these are

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def look(self) -> Look:
        """What is shown."""
        return self.like.look

    def imitating(self, circuit: V1Simple | V1Complex | SparseCodingCortex) -> UnseeingCells:
        """A copy that is matched to these cells."""
        return replace(self, like=circuit)

    def subject(self, rng: np.random.Generator) -> VisualSubject:
        """One animal: the cells of one of `like`."""
        twin, look = self.like.subject(rng), self.look

        def rates(frames: np.ndarray, rng: np.random.Generator) -> np.ndarray:
            return twin.rates(visual.shown(frames.shape[:2], look.side, look.frames, rng), rng)

        nothing = np.zeros_like(twin.first)
        return VisualSubject(self, rates, nothing, nothing, twin.anatomy)
