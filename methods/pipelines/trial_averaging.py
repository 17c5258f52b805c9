"""Trial averaging: what the trials of a condition have in common."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import xarray as xr

from methods.pipelines._steps import Unusable, signal_of, with_signal
from simlab.contracts import Needs


@dataclass(frozen=True)
class TrialAveraging:
    """One trial per condition, in the order of the conditions: the mean signal of its trials; one in all without any.

    Behaviour is averaged alike, over the trials that have it; of the stimulus there remains what the trials share, NaN
    elsewhere, since the mean of two angles is neither. Trials must have one length. An answer over trials is then one
    over conditions, which a question about trials does not take.
    """

    name: ClassVar[str] = "trial_averaging"
    library: ClassVar[str] = "own"

    def before(self, needs: Needs) -> Needs:
        """What this step needs, if what follows has these needs."""
        return replace(needs, equal_trials=True)

    def apply(self, recording: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
        """The means (condition, sample, unit), as the trials of a recording."""
        signal = signal_of(recording, self)
        if "trial_duration" in recording:
            raise Unusable("needs trials of one length to average: cut them with simlab.equal_trials")
        n_trials = recording.sizes["trial"]
        of = recording["condition"].values if "condition" in recording else np.zeros(n_trials, dtype=int)
        groups = [np.flatnonzero(of == condition) for condition in np.unique(of)]
        first = recording.isel(trial=[group[0] for group in groups]).drop_vars("trial_start", errors="ignore")
        first = first.assign_coords(trial=np.arange(len(groups)))
        for name, together in (("stimulus", _shared), ("behaviour", _mean)):
            if name in first:
                values = np.stack([together(recording[name].values[group]) for group in groups])
                first[name] = (first[name].dims, values, first[name].attrs)
        means = np.stack([signal.values[group].mean(axis=0) for group in groups])
        kind, units = str(signal.attrs["modality"]), str(signal.attrs.get("units", ""))
        return with_signal(first, means, signal["time"].values, kind, units)


def _shared(values: np.ndarray) -> np.ndarray:
    """The value that all trials have; NaN where they differ."""
    return np.where((values == values[0]).all(axis=0), values[0].astype(float), np.nan)


def _mean(values: np.ndarray) -> np.ndarray:
    """Mean over trials of those values that are given; NaN where none is."""
    given = np.isfinite(values)
    total = np.where(given, values, 0.0).sum(axis=0)
    return np.where(given.any(axis=0), total / np.maximum(given.sum(axis=0), 1), np.nan)
