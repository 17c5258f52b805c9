"""The verdict 'attractor' from noise correlations that look like a bump that is displaced as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from methods.population._population import odds_of_significance, two_label_finding, unusable
from methods.population._ring_readout import (
    RingTuning,
    activity,
    cue_at,
    dark_from,
    fit_tuning,
    last_shown,
    learn_tuning,
)
from simlab.contracts import Finding, Needs
from simlab.data import is_spiking
from simlab.rules import check_fields
from simlab.rules.quantities import Level, Repeats


@dataclass(frozen=True)
class NoiseCorrelationStructure:
    """Says attractor if noise correlations fall with tuning distance and betray displacements of the bump.

    Between trials with one cue, a bump that wanders makes units covary as the product of their tuning slopes at the
    cue, and hence like-tuned units positively (Ben-Yishai et al. 1995; Wimmer et al. 2014, Fig. 3); coupling
    that outlives the stimulus is taken for recurrence (Peyrache et al. 2015). What the last cue predicts, by
    tuning, is taken from each unit's mean activity late in the dark (late in the trial, if the cue stays); without
    a cue, the decoded trial mean takes its place. Both tests compare, at `level`, with residuals whose signs are
    flipped at random.

    Abstains where fewer units are active than it needs.
    """

    name: ClassVar[str] = "noise_correlation_structure"
    question: ClassVar[str] = "mechanism"
    family: ClassVar[str] = "noise correlation"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(units=5, trials=8)

    attractor: str = "ring attractor"
    rival: str = "feedforward"
    level: Level = 0.05
    n_flips: Repeats = 500

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The verdict on a Recording; the notes give both statistics and their p-values."""
        refusal = unusable(recording, self.needs)
        if refusal is not None:
            return refusal
        residual, angle, tuning = self._residuals(recording)
        observed = structure(residual, angle, tuning)
        flips = (rng.choice([-1.0, 1.0], residual.shape) for _ in range(self.n_flips))
        null = np.array([structure(residual * flip, angle, tuning) for flip in flips])
        p_values = (1 + (null >= observed).sum(0)) / (1 + self.n_flips)
        notes: dict[str, object] = {
            "tuning_similarity": float(observed[0]), "p_similarity": float(p_values[0]),
            "displacement": float(observed[1]), "p_displacement": float(p_values[1]),
        }  # fmt: skip
        probability = odds_of_significance(float(p_values.max()), self.level)
        return two_label_finding(recording.attrs.get("brief", {}), self.attractor, self.rival, probability, notes)

    def _residuals(self, recording: xr.Dataset) -> tuple[np.ndarray, np.ndarray, RingTuning]:
        """Standardised residuals (sample, unit), the angle that they are at (sample,), and the tuning to it."""
        spiking = is_spiking(recording)
        values, times = activity(recording)
        cue = cue_at(recording, times)
        if np.isfinite(cue).any():
            late = times >= _late_from(dark_from(cue, times), float(times[-1]))
            held = last_shown(cue)[:, late]
            seen = np.isfinite(held).all(1)
            values, held = values[seen][:, late], held[seen]
            tuning = fit_tuning(held.ravel(), values.reshape(-1, values.shape[2]), spiking)
            angle = np.asarray(np.angle(np.exp(1j * held).mean(1)))
            return _standard((values - tuning.expected(held)).mean(1)), angle, tuning
        tuning = learn_tuning(values, cue, spiking)
        middle = tuning.decode(values.mean(1))
        halves = np.concatenate([part.mean(1) for part in np.array_split(values, 2, axis=1)])
        at = np.tile(middle, 2)
        return _standard(halves - tuning.expected(at)), at, tuning


def _late_from(dark: float, end: float) -> float:
    """The middle [s] of the dark; of the whole trial, where the dark takes up less than a quarter of it."""
    return (dark + end) / 2 if dark < 0.75 * end else end / 2


def _standard(residual: np.ndarray) -> np.ndarray:
    centred = residual - residual.mean(0)
    return centred / np.maximum(centred.std(0), 1e-12)


def structure(residual: np.ndarray, angle: np.ndarray, tuning: RingTuning) -> np.ndarray:
    """Two statistics of residuals (sample, unit) at angles (sample,).

    The correlation, over pairs, of noise correlation with the cosine of the difference of preferred angles; and the
    mean product, over pairs and samples, of the residuals with those expected of a displaced bump.
    """
    upper = np.triu_indices(residual.shape[1], 1)
    similar = np.cos(tuning.preferred[:, None] - tuning.preferred)[upper]
    pairs = (residual.T @ residual / len(residual))[upper]
    slope = tuning.slope(angle)
    slope = slope / np.maximum(np.linalg.norm(slope, axis=1, keepdims=True), 1e-12)
    product = residual * slope
    displaced = (product.sum(1) ** 2 - (product**2).sum(1)).mean()
    return np.array([_correlation(pairs, similar), displaced])


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    spread = a.std() * b.std()
    return float(((a - a.mean()) * (b - b.mean())).mean() / spread) if spread > 0 else 0.0
