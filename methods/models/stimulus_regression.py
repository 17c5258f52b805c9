"""What would be seen, from the stimulus alone: regression of the units on what was shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
import xarray as xr

from methods.coding._frames import NEEDS, interval, laid_out
from methods.models.model_predictivity import ridge
from simlab.contracts import Finding, Needs
from simlab.data import is_spiking, missing
from simlab.rules import Within, check_fields

LEAST_FRAMES = 100


@dataclass(frozen=True)
class StimulusRegression:
    """Ridge regression on frames, or on products of their pixels too; no mechanism, and no model.

    linear: on pixels. quadratic: also on all products of the `components` principal axes of what was shown (a second-
    order Volterra series: Marmarelis & Marmarelis 1978). Counts of a frame belong to that frame. Predictions below 0
    are 0. Cost: seconds; it grows with the cube of the products.
    """

    name: ClassVar[str] = "stimulus_regression"
    question: ClassVar[str] = "prediction"
    family: ClassVar[str] = "regression"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = NEEDS

    order: Literal["linear", "quadratic"] = "linear"
    components: Annotated[int, Within(1, 60)] = 40

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The response to each presentation of the brief; abstains without any, or with too few frames."""
        if reason := missing(recording, self.needs):
            return Finding.abstain(reason)
        unseen = np.array(recording.attrs.get("brief", {}).get("unseen", ()), dtype=float)
        if unseen.ndim != 2 or unseen.shape[1] != recording.sizes["feature"]:
            return Finding.abstain("the brief shows no stimuli of the recording's features that could be predicted")
        length = interval(recording)
        shown, counts = (part.reshape(-1, part.shape[2]) for part in laid_out(recording))
        seen = np.isfinite(shown).all(axis=1) & np.isfinite(counts).all(axis=1)
        if seen.sum() < LEAST_FRAMES:
            return Finding.abstain(f"{int(seen.sum())} frames are too few to regress on: it takes {LEAST_FRAMES}")
        shown, rates = shown[seen], counts[seen] / length
        basis = _axes(shown, self.components) if self.order == "quadratic" else None
        x, new = (_features(part, shown.mean(axis=0), basis) for part in (shown, unseen))
        centre, spread = x.mean(axis=0), x.std(axis=0)
        scale = np.where(np.ptp(x, axis=0) > 0, spread, np.inf)
        mean = rates.mean(axis=0)
        said = mean + (new - centre) / scale @ ridge((x - centre) / scale, rates - mean)
        return Finding({"response": np.maximum(said, 0.0) if is_spiking(recording) else said})


def _axes(shown: np.ndarray, number: int) -> np.ndarray:
    """(feature, component): the principal axes of frames."""
    moved = shown - shown.mean(axis=0)
    return np.asarray(np.linalg.eigh(moved.T @ moved)[1][:, ::-1][:, :number])


def _features(frames: np.ndarray, mean: np.ndarray, basis: np.ndarray | None) -> np.ndarray:
    """(frame, regressor)."""
    moved = frames - mean
    if basis is None:
        return moved
    along = moved @ basis
    first, second = np.triu_indices(along.shape[1])
    return np.concatenate([moved, along[:, first] * along[:, second]], axis=1)
