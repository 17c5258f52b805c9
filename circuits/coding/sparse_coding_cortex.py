"""A cortex that explains each frame by few of its cells: a dictionary, and inhibition between those alike."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import numpy as np

from circuits.coding import visual
from circuits.coding.v1_simple import VISUAL_CORTEX
from circuits.coding.visual import Cells, Look, MeanRate, Spread, VisualSubject
from simlab.contracts import Regime
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Share

STEP, STEPS = 0.1, 60
"""Of the membrane's time constant; so many in a frame: six time constants of 5 ms in 30 ms."""

CALIBRATION = 2000
"""Frames over which a cell's mean response is taken."""

BLOCK = 4096
"""Frames that are computed together."""


@dataclass(frozen=True)
class SparseCodingCortex:
    """The locally competitive algorithm (Rozell, Johnson, Baraniuk & Olshausen 2008, Neural Comput 20:2526).

        tau u' = -u + D^T W s - inhibition (D^T D - 1) a,   a = [u - threshold]+,   rate_i = r_i (spontaneous + g_i a_i)

    D: dictionary of Gabors of unit length, given, more of them than frames have dimensions to speak of (sparse coding
    learns such ones from natural images: Olshausen & Field 1996, Nature 381:607). W: a retina that whitens the frames'
    spectrum, if they are not white (Atick & Redlich 1992). At rest, with inhibition 1, a minimises
    |W s - D a|^2 / 2 + threshold sum(a) over a >= 0: cells that explain the same part of a frame compete for it
    (explaining away). inhibition=0: the same cells side by side, without competition. g makes mean responses one, where
    they are not tiny. Spikes are as in `v1_simple`, for the response at the end of the frame's relaxation.

    Truth of `receptive_field`: W D_i, the cell's feedforward filter, which is what it stands for in a frame's
    explanation. How its response depends on frames is another thing: others take away what they explain better, so that
    the average frame before its spikes leans away from theirs (near silence of the threshold, towards the rows of the
    pseudo-inverse of D). `connectivity` is not asked: inhibition is of rates, not of spikes.
    """

    name: ClassVar[str] = "sparse_coding_cortex"
    mechanism: ClassVar[str] = "sparse coding"
    questions: ClassVar[tuple[str, ...]] = ("receptive_field", "prediction")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)
    regime: ClassVar[Regime] = VISUAL_CORTEX

    n_neurons: Cells = 64
    threshold: Annotated[float, Within(0, 10)] = 0.5  # standard deviations of a pixel that the retina made white
    inhibition: Annotated[float, Within(0, 1)] = 1.0
    mean_rate: MeanRate = 5.0  # Hz, median over cells
    rate_spread: Spread = 0.5  # standard deviation of log rates over cells
    spontaneous: Share = 0.1  # of the mean rate
    look: Look = field(default_factory=lambda: Look(frames="leaves"))

    def __post_init__(self) -> None:
        check_fields(self)

    def subject(self, rng: np.random.Generator) -> VisualSubject:
        """One animal: its dictionary and its cells' rates."""
        elements, _ = visual.gabors(self.n_neurons, self.look.side, rng)
        filters = whitened(elements, self.look)
        seen = visual.shown((1, CALIBRATION), self.look.side, self.look.frames, rng)
        usual = self.codes(seen @ filters.T, elements).mean(axis=(0, 1))
        gain = 1 / np.maximum(usual, 0.1 * max(float(np.median(usual)), 1e-9))

        def response(frames: np.ndarray) -> np.ndarray:
            return self.codes(frames @ filters.T, elements) * gain

        return VisualSubject.responding(self, (filters, np.zeros_like(filters)), response, rng)

    def codes(self, drive: np.ndarray, elements: np.ndarray) -> np.ndarray:
        """The activities a (trial, frame, cell) that cells with these elements (cell, pixel) end in under a drive."""
        flat = drive.reshape(-1, len(elements)).astype(np.float32)
        rival = (self.inhibition * (elements @ elements.T - np.eye(len(elements)))).astype(np.float32)
        found = np.concatenate([self._relaxed(flat[k : k + BLOCK], rival) for k in range(0, len(flat), BLOCK)])
        return np.asarray(found.reshape(drive.shape).astype(float))

    def _relaxed(self, drive: np.ndarray, rival: np.ndarray) -> np.ndarray:
        if not rival.any():
            return np.maximum(drive - self.threshold, 0)
        u = np.zeros_like(drive)
        for _ in range(STEPS):
            active = np.maximum(u - np.float32(self.threshold), 0)
            u += np.float32(STEP) * (drive - u - active @ rival)
        return np.maximum(u - np.float32(self.threshold), 0)


def whitened(elements: np.ndarray, look: Look) -> np.ndarray:
    """(cell, pixel): elements (cell, pixel) as filters of frames that a retina whitens first."""
    gain = visual.amplitudes(look.side, look.frames)
    mends = np.divide(1.0, gain, out=np.zeros_like(gain), where=gain > 0)
    turned = np.fft.fft2(elements.reshape(-1, look.side, look.side)) * mends
    return np.asarray(np.fft.ifft2(turned).real.reshape(len(elements), -1))
