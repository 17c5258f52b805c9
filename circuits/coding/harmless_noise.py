"""A population with as much correlated noise as a limited one, that does not look like the stimulus."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from circuits.coding.discrimination import DiscriminatingSubject, Discrimination
from circuits.coding.information_limiting import VISUAL_CORTEX, InformationLimiting, drawn, subject_of
from simlab.contracts import Regime
from simlab.rules import check_fields


@dataclass(frozen=True)
class HarmlessNoise:
    """The neurons of `like`, with a random half of their loadings on the common noise turned round.

        log rate_i = log f_i(s) + sigma_i g_i eta + gain z + ... ,   sigma_i = +-1

    Every neuron has the counts that it has in `like`, mean, variance and all; pairs have correlations of the same
    sizes, half of them with the other sign, and the same mean, as g is even about 0 (signs are drawn for pairs of
    neurons of like slope, one of either). Noise along sigma g has next to nothing along f', so that Fisher information
    grows with every neuron: the sizes of correlations do not tell whether they matter (Moreno-Bote et al. 2014, Nat
    Neurosci 17:1410). Between two stimuli a finite step apart the gain, which differs in what it does to either, slows
    the growth once d' nears 2 / gain.
    """

    name: ClassVar[str] = "harmless_noise"
    mechanism: ClassVar[str] = "noise across the code"
    twin_of: ClassVar[tuple[str, ...]] = ("information_limiting",)
    questions: ClassVar[tuple[str, ...]] = ("information", "connectivity")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)
    regime: ClassVar[Regime] = VISUAL_CORTEX

    like: InformationLimiting = field(default_factory=InformationLimiting)  # whose neurons these are

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def task(self) -> Discrimination:
        """What is shown."""
        return self.like.task

    def imitating(self, circuit: InformationLimiting) -> HarmlessNoise:
        """A copy that is matched to this population."""
        return replace(self, like=circuit)

    def subject(self, rng: np.random.Generator) -> DiscriminatingSubject:
        """One individual: the tuning of one of `like`, and signs of its own."""
        code = drawn(self.like, rng)
        slope = code.relative_slope()
        return subject_of(self, self.like, code, slope * opposed(slope, rng), rng)


def opposed(slope: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(neuron,) +1 or -1: of each two neighbours in slope, one of either, which is which at random."""
    order, sign = np.argsort(slope), np.empty(len(slope))
    first = rng.choice([-1.0, 1.0], (len(slope) + 1) // 2)
    sign[order] = np.column_stack([first, -first]).ravel()[: len(slope)]
    return sign
