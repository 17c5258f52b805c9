"""The estimate without an experiment: what follows a unit's own spikes, as if they were pulses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.intervention._pulses import RESPONSES, Contrast, Pulse, effects
from simlab.contracts import Finding, Needs
from simlab.data import in_window, is_spiking, missing
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level


@dataclass(frozen=True)
class RegressionEffect:
    """Regression of post's activity after a moment on pre's activity at it, pair by pair, in spontaneous activity.

        y_j = a + b_ij x_i + noise,   response_ij = b_ij x `pulse_size`

    x: spikes of pre (or its mean signal) in a time as long as the brief's pulse; y: those of post in what is left of
    the window after it. A trial is cut into as many such moments as it holds. This is the observational estimate that
    interventions are measured against: whatever drives both, or passes through others, biases b (Lepperod et al.
    2023, PLoS Comput Biol 19:e1011574; Das & Fiete 2020, Nat Neurosci 23:1286), and nobody has told it how much a
    pulse does, so that its responses have an arbitrary scale. t test per pair, false discovery rate over pairs.
    Passive; the cost is that of a covariance.
    """

    name: ClassVar[str] = "regression_effect"
    question: ClassVar[str] = "effect"
    family: ClassVar[str] = "regression"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = RESPONSES

    alpha: Level = 0.05
    """False discovery rate of decided effects (Benjamini & Hochberg 1995)."""
    pulse_size: Annotated[float, Within(0, 1000, excluding=(0,))] = 2.0
    """Spikes, or units of the signal, that a pulse is taken to add to pre."""
    least_moments: Annotated[int, Within(3, 100_000)] = 20
    """Without which it abstains."""

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Effects of every unit on every other, from spikes or rates."""
        if reason := missing(recording, self.needs):
            return Finding.abstain(reason)
        pulse = Pulse.told(recording.attrs.get("brief", {}))
        starts = np.arange(0.0, recording.attrs["duration"] - pulse.window + 1e-9, pulse.window)
        moments = len(starts) * recording.sizes["trial"]
        if moments < self.least_moments:
            return Finding.abstain(f"needs {self.least_moments} windows of {pulse.window:g} s, got {moments}")
        if not is_spiking(recording) and not _sampled(recording, pulse):
            return Finding.abstain(f"the signal has no sample in each {pulse.duration:g} s, as long as a pulse is")
        now = _all(recording, starts, pulse.duration)
        later = _all(recording, starts + pulse.duration, pulse.window - pulse.duration)
        return effects(regression(now, later, self.pulse_size), self.alpha, moments=moments)


def regression(now: np.ndarray, later: np.ndarray, size: float) -> Contrast:
    """Slopes (pre, post) of `later` (moment, post) on `now` (moment, pre) x `size`; NaN where pre does not vary."""
    now, later = now - now.mean(axis=0), later - later.mean(axis=0)
    n, power = len(now), (now**2).sum(axis=0)[:, None]
    power = np.where(power > 0, power, np.nan)
    slope = now.T @ later / power
    residual = np.maximum((later**2).sum(axis=0) - slope**2 * power, 0)
    return Contrast(size * slope, size * np.sqrt(residual / (n - 2) / power), np.full(slope.shape, n - 2.0))


def _all(recording: xr.Dataset, starts: np.ndarray, length: float) -> np.ndarray:
    """(moment, unit) of all trials."""
    return np.concatenate([in_window(recording, float(start), length) for start in starts])


def _sampled(recording: xr.Dataset, pulse: Pulse) -> bool:
    return bool(np.diff(recording["sample_time"].values).max(initial=0.0) <= pulse.duration + 1e-9)
