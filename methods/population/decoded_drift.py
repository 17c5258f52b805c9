"""The verdict 'attractor' from memory: an angle that persists in the dark while it diffuses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from methods.population._population import odds_of_significance, two_label_finding, unusable
from methods.population._ring_readout import activity, cue_at, dark_from, learn_tuning
from simlab.contracts import Finding, Needs
from simlab.data import is_spiking
from simlab.rules import check_fields
from simlab.rules.quantities import Level, Pause, Repeats


@dataclass(frozen=True)
class DecodedDrift:
    """Says attractor if the decoded angle outlasts the cue and its variance grows with time in the dark.

    Neutral stability along a ring lets noise accumulate: the bump persists and the variance of its displacement
    grows linearly with the lag (Compte et al. 2000; Burak & Fiete 2012; Wimmer et al. 2014). Both must hold at
    `level`: the end of the dark predicts its beginning better than other trials do (permutation), and the growth
    of the variance -2 ln|<exp(i displacement)>| with the lag is positive (bootstrap over trials).

    Abstains where fewer units are active than it needs, or where the dark is too short to drift in.
    """

    name: ClassVar[str] = "decoded_drift"
    question: ClassVar[str] = "mechanism"
    family: ClassVar[str] = "decoding"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(units=5, trials=5, seconds=4.0)

    attractor: str = "ring attractor"
    rival: str = "feedforward"
    level: Level = 0.05
    n_resamples: Repeats = 500
    shortest_lag: Pause = 0.3  # s; below it, smoothed noise itself grows apart
    min_dark: Pause = 0.8  # s

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The verdict on a Recording; the notes give the diffusion [rad^2/s] and both tests."""
        angle, step, refusal = self._angle_in_the_dark(recording)
        if refusal is not None:
            return refusal
        lags = np.arange(max(1, round(self.shortest_lag / step)), max(2, angle.shape[1] // 2) + 1)
        moved = np.array([np.exp(1j * (angle[:, lag:] - angle[:, :-lag])).mean(1) for lag in lags])
        growth = np.polyfit(lags * step, circular_variance(moved.mean(1)), 1)
        p_growth = self._growth_p(moved, lags * step, rng)
        persistence, p_persists = self._persistence(angle, rng)
        notes: dict[str, object] = {
            "diffusion": float(growth[0]), "p_growth": p_growth, "persistence": persistence, "p_persists": p_persists,
            "linearity": float(np.corrcoef(lags, circular_variance(moved.mean(1)))[0, 1]),
        }  # fmt: skip
        probability = odds_of_significance(max(p_growth, p_persists), self.level)
        return two_label_finding(recording.attrs.get("brief", {}), self.attractor, self.rival, probability, notes)

    def _angle_in_the_dark(self, recording: xr.Dataset) -> tuple[np.ndarray, float, Finding | None]:
        """Decoded angle (trial, time) after the cue, its time step [s], or why there is none."""
        refusal = unusable(recording, self.needs)
        if refusal is not None:
            return np.zeros((0, 0)), 0.0, refusal
        values, times = activity(recording)
        cue = cue_at(recording, times)
        dark = times > dark_from(cue, times)
        if times[-1] - dark_from(cue, times) < self.min_dark:
            return np.zeros((0, 0)), 0.0, Finding.abstain(f"the dark lasts less than {self.min_dark:g} s")
        angle = learn_tuning(values, cue, is_spiking(recording)).decode(values)[:, dark]
        return angle, float(times[1] - times[0]), None

    def _growth_p(self, moved: np.ndarray, lags: np.ndarray, rng: np.random.Generator) -> float:
        """Share of bootstrap samples of the trials in which the variance does not grow with the lag."""
        n_trials = moved.shape[1]
        picks = rng.integers(n_trials, size=(self.n_resamples, n_trials))
        slopes = [np.polyfit(lags, circular_variance(moved[:, pick].mean(1)), 1)[0] for pick in picks]
        return float((1 + np.sum(np.array(slopes) <= 0)) / (1 + self.n_resamples))

    def _persistence(self, angle: np.ndarray, rng: np.random.Generator) -> tuple[float, float]:
        """<cos(late - early)> over trials, and its p-value against early angles of other trials."""
        quarter = max(1, angle.shape[1] // 4)
        early = np.angle(np.exp(1j * angle[:, :quarter]).mean(1))
        late = np.angle(np.exp(1j * angle[:, -quarter:]).mean(1))
        observed = float(np.cos(late - early).mean())
        null = np.array([np.cos(late - rng.permutation(early)).mean() for _ in range(self.n_resamples)])
        return observed, float((1 + (null >= observed).sum()) / (1 + self.n_resamples))


def circular_variance(resultant: np.ndarray) -> np.ndarray:
    """Variance [rad^2] of a wrapped normal angle from its mean resultant: -2 ln|resultant|."""
    return -2.0 * np.log(np.clip(np.abs(resultant), 1e-6, 1.0))
