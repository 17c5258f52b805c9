"""Correlogram sign: a unit whose spikes are followed by peaks in others' trains excites, by troughs inhibits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import xarray as xr

from methods.cell_types._signs import pooled, significant, typed
from methods.wiring._pairs import check_window
from methods.wiring.cross_correlogram import CrossCorrelogram
from simlab.contracts import Finding, Needs
from simlab.rules import check_fields
from simlab.rules.quantities import Level, Width


@dataclass(frozen=True)
class CorrelogramSign:
    """The sign of a unit's monosynaptic peaks and troughs in its correlograms with all others.

    So were putative pyramidal cells and interneurons of cortex and hippocampus told apart, or the clusters of their
    waveforms named (Csicsvari et al. 1998; Bartho et al. 2004, J Neurophysiol 92:600; English et al. 2017, Neuron
    96:505; Senzai & Buzsaki 2019, Neuron 101:500). The test of each pair is that of `cross_correlogram`: the count at
    synaptic lags against a hollow-Gaussian or jitter predictor and against the mirrored lags.

    `edges`, as published: a unit is E or I where the pairs that are decided, at a false discovery rate over all pairs,
    have that sign in their majority; without one, or with as many of either, ?. `pooled` (ours): the signed deviations
    of all of its pairs are summed, connected or not, for Dale's law says that they agree (and without the comparison
    with the mirrored lags, which turns reciprocal pairs into none); E or I where that survives a false discovery rate
    over units. `score` is from the pooled sum in either case.

    A strong peak raises the predictor at the mirrored lags too, and so looks like a trough there, of a synapse the
    other way and of the other sign (and a trough like a peak). An effect is therefore left out where that of the
    mirrored direction is decided, larger, and of the other sign: in a planted world without these shadows' removal
    three of five units that only listened were typed. Of true reciprocal pairs the weaker direction is lost.

    Needs spikes of two units or more; what a unit does to silent ones is not seen. Cost: the correlograms, that is
    spikes x population rate x some 70 ms.
    """

    name: ClassVar[str] = "correlogram_sign"
    question: ClassVar[str] = "cell_type"
    family: ClassVar[str] = "cross-correlation"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = CrossCorrelogram.needs

    evidence: Literal["edges", "pooled"] = "edges"
    """Whether single pairs decide, or all pairs of a unit together."""
    alpha: Level = 0.05
    """False discovery rate of the pairs, or units, that are decided (Benjamini & Hochberg 1995)."""
    causal_window: tuple[Width, Width] = (0.0008, 0.004)
    """Lags of a monosynaptic effect [s] (English et al. 2017: 0.8 to 2.8 ms; their code: up to 4 ms)."""
    predictor: Literal["hollow_gaussian", "jitter"] = "hollow_gaussian"
    """What counts are expected to be without fast structure; see `cross_correlogram`."""
    smoothing: Width = 0.010
    """Standard deviation of the hollow Gaussian [s] (English et al. 2017)."""
    prior_inhibitory: Level = 0.2
    """Share of inhibitory units before anything is seen (cortex: 15 to 20%; Braitenberg & Schuez 1998)."""

    def __post_init__(self) -> None:
        check_fields(self)
        check_window(self.causal_window)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """A label for each unit; abstains without spikes, or where trials are shorter than the correlograms."""
        free = self._pairs(against_anticausal=False).analyse(recording, rng)
        if free.abstained:
            return free
        z = pooled(_without_shadows(free.estimate)[0])
        if self.evidence == "pooled":
            return typed(significant(z, self.alpha), z, self.prior_inhibitory)
        found = self._pairs(against_anticausal=True).analyse(recording, rng).estimate
        deviates, decided = _without_shadows(found)
        votes = (decided * np.sign(deviates)).sum(axis=1).astype(int)
        label = np.select([votes > 0, votes < 0], ["E", "I"], "?").astype(object)
        return typed(label, z, self.prior_inhibitory, votes=votes)

    def _pairs(self, against_anticausal: bool) -> CrossCorrelogram:
        return CrossCorrelogram(
            alpha=self.alpha,
            causal_window=self.causal_window,
            predictor=self.predictor,
            smoothing=self.smoothing,
            against_anticausal=against_anticausal,
        )


def _without_shadows(found: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Signed deviates and decided edges, each (pre, post), less those that a larger opposite effect the other way
    explains."""
    z, decided = found["score"] * found["sign"], found["decided"]
    shadow = decided.T & (z * z.T < 0) & (np.abs(z.T) > np.abs(z))
    return np.where(shadow, 0.0, z), decided & ~shadow
