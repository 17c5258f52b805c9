"""Predict first, explain second: rates that a network foresees from the stimulus, in the place of what was recorded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from typing import Annotated, Any, ClassVar

import numpy as np
import xarray as xr

from methods.coding._frames import Looked, folds, foretold, interval, laid_out, looked
from methods.pipelines._steps import Unusable, accepting, with_signal
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Repeats, Share

BATCH = 128
"""Frames that a step of the fit sees."""

OF_TRIALS = ("condition", "behaviour", "outcome", "trial_start")
"""What belongs to trials that were run, and to no others."""


@dataclass(frozen=True)
class FlexiblePredictor:
    """The recording becomes the rates, without noise, that a network predicts from each frame.

    A perceptron with one layer of rectified units that all cells share is fitted to frames and counts (scikit-learn's
    `MLPRegressor`: squared error, Adam, an early stop on a tenth of the frames), as flexible models of visual cortex
    are before they are explained (for example Walker et al. 2019, Nat Neurosci 22:2060; Klindt et al. 2017, NIPS 30).
    Each frame is predicted by a network that has not seen it, one of `n_folds`; n_folds=1: by one that has seen all.

    A unit whose held-out counts do not correlate with their prediction beyond `least_z` standard errors is given its
    mean rate: of what cannot be predicted there is nothing to explain. least_z=0 never asks, and what a network made of
    noise then looks like a response, without the noise that would give it away.

    new_frames: explained on so many new frames, Gaussian and white, of the recorded variances, instead of those that
    were shown; predicted by all the networks' mean.
    """

    name: ClassVar[str] = "flexible_predictor"
    library: ClassVar[str] = "scikit-learn"

    hidden: Annotated[int, Within(1, 10_000)] = 64
    penalty: Annotated[float, Within(0, 1000)] = 1.0  # alpha of the library: half of it times squared weights
    steps: Repeats = 2000  # of Adam, at most, on batches of frames
    learning_rate: Annotated[float, Within(1e-6, 1)] = 2e-3
    stop_share: Share = 0.1  # of the frames, that decide when to stop
    n_folds: Annotated[int, Within(1, 20)] = 4
    least_z: Annotated[float, Within(0, 100)] = 3.0
    new_frames: Annotated[int, Within(0, 1_000_000)] = 0

    def __post_init__(self) -> None:
        check_fields(self)

    def before(self, needs: Needs) -> Needs:
        """What this step needs, if what follows has these needs."""
        needed = accepting(self, needs, {"spikes": "rate", "rate": "rate"})
        return replace(needed, stimulus=True, seconds=max(needs.seconds, 10.0))

    def apply(self, recording: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
        """The predicted rates (trial, frame, unit), of the frames shown or of new ones that take their place."""
        found = looked(recording)
        if isinstance(found, Finding):
            raise Unusable(str(found.abstained))
        said, networks = self._cross_fitted(found, rng)
        sure = foretold(found, said, self.least_z) if self.least_z > 0 else found.counts.any(axis=0)
        if self.new_frames:
            recording, frames = self._renewed(recording, found.frames.std(axis=0), rng)
            said = np.mean([predicted(network, frames) for network in networks], axis=0)
        said = np.where(sure, np.maximum(said, 0.0), found.counts.mean(axis=0))
        shown, counts = laid_out(recording)
        seen = np.isfinite(shown).all(axis=2) & (np.isfinite(counts).all(axis=2) | bool(self.new_frames))
        rates = np.full((*shown.shape[:2], said.shape[1]), np.nan)
        length = interval(recording)
        rates[seen] = said / length
        return with_signal(recording, rates, (np.arange(shown.shape[1]) + 0.5) * length, "rate", "Hz")

    def _cross_fitted(self, found: Looked, rng: np.random.Generator) -> tuple[np.ndarray, list[Any]]:
        """Expected counts (frame, unit), each from a network that was not given the frame, and the networks."""
        said, networks = np.empty_like(found.counts), []
        fold = folds(len(found.frames), self.n_folds)
        for held in range(self.n_folds):
            rest = fold != held if self.n_folds > 1 else fold == held
            networks.append(self._fitted(found.frames[rest], found.counts[rest], rng))
            said[fold == held] = predicted(networks[-1], found.frames[fold == held])
        return said, networks

    def _fitted(self, frames: np.ndarray, counts: np.ndarray, rng: np.random.Generator) -> tuple[Any, ...]:
        """A network, and the mean and deviation of each unit's counts, which it knows nothing of."""
        import warnings

        from sklearn.exceptions import ConvergenceWarning
        from sklearn.neural_network import MLPRegressor

        mean, spread = counts.mean(axis=0), np.maximum(counts.std(axis=0), 1e-9)
        network = MLPRegressor(
            hidden_layer_sizes=(self.hidden,), alpha=self.penalty, batch_size=min(BATCH, len(frames) // 2),
            learning_rate_init=self.learning_rate, max_iter=ceil(self.steps * BATCH / len(frames)),
            early_stopping=self.stop_share > 0, validation_fraction=self.stop_share or 0.1,
            random_state=int(rng.integers(2**31)),
        )  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # so many steps were asked for
            network.fit(frames, np.squeeze((counts - mean) / spread))  # of one unit: a row, as the library wants it
        return network, mean, spread

    def _renewed(
        self, recording: xr.Dataset, spread: np.ndarray, rng: np.random.Generator
    ) -> tuple[xr.Dataset, np.ndarray]:
        """The recording with new frames in whole trials, and the frames (frame, feature)."""
        length = laid_out(recording)[0].shape[1]
        trials = ceil(self.new_frames / length)
        frames = rng.standard_normal((trials, length, len(spread))) * spread
        empty = recording.drop_vars([name for name in OF_TRIALS if name in recording])
        empty = empty.isel(trial=np.zeros(trials, dtype=int), time=slice(length)).assign_coords(trial=np.arange(trials))
        empty["stimulus"] = (empty["stimulus"].dims, frames, empty["stimulus"].attrs)
        return empty, frames.reshape(-1, len(spread))


def predicted(fitted: tuple[Any, ...], frames: np.ndarray) -> np.ndarray:
    """Expected counts (frame, unit) of a fitted network."""
    network, mean, spread = fitted
    said = network.predict(frames)
    return np.asarray(said.reshape(len(frames), -1) * spread + mean)
