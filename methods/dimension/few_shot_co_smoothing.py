"""Linear dimension as that of the latents that predict left-out units best, from many trials or from few."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.dimension._spread import MostDimensions, Smoothing, z_scored
from methods.dimension.cross_validated_pca import least_rank
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Repeats, Share, Width


@dataclass(frozen=True)
class FewShotCoSmoothing:
    """Latents of some units are mapped onto units that were held out, on `shots` trials, and scored on the rest.

    Co-smoothing (Pei et al. 2021, Neural Latents Benchmark) fits the map to held-out units on all training trials, and
    hardly punishes latents that have more dimensions than there are. With few trials each dimension too many costs,
    which tells models with extraneous dynamics from those without (Dabholkar & Barak 2025, PLoS Comput Biol
    21:e1013789: there of recurrent models; here of principal components of the units held in). shots=0 is plain
    co-smoothing, whose draws are bootstraps of the training trials. The contrast of the two is small here: components
    are nested and orthogonal, so that one too many adds its own error and no more, and either score has its best at the
    true number. Models whose states split show it (`hidden_markov_latents`). A least-squares map for each dimension and
    draw: seconds.
    """

    name: ClassVar[str] = "few_shot_co_smoothing"
    question: ClassVar[str] = "dimensionality"
    family: ClassVar[str] = "co-smoothing"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(units=8, trials=8)

    shots: Annotated[int, Within(0, 10_000)] = 4  # trials on which the map is fitted; 0: all training trials
    bin_width: Width = 0.05  # s, of spike counts
    smoothing: Smoothing = 0.05  # s
    most: MostDimensions = 12  # dimensions that are tried
    held_out: Share = 0.25  # of the units
    divisions: Repeats = 3  # of the units into held in and held out
    draws: Repeats = 10  # of the trials for the map
    one_error: bool = False  # the least number within a standard error of the best, not the best

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The linear dimension of a Recording; abstains where trials are too few for the shots and a test."""
        values = z_scored(recording, self.needs, self.bin_width, self.smoothing)
        if isinstance(values, Finding):
            return values
        trained = len(values) // 2
        if self.shots > trained:
            return Finding.abstain(
                f"needs {2 * self.shots} trials for {self.shots} shots and a test, got {len(values)}"
            )
        most = min(self.most, int(values.shape[2] * (1 - self.held_out)) - 1)
        errors = [self._errors(values, most, trained, rng) for _ in range(self.divisions)]
        return Finding({"linear": least_rank(np.concatenate(errors), self.one_error)})

    def _errors(self, values: np.ndarray, most: int, trained: int, rng: np.random.Generator) -> np.ndarray:
        """(draw, dimension): mean squared errors of held-out units in test trials, for 0 to `most` latents."""
        order, units = rng.permutation(len(values)), rng.permutation(values.shape[2])
        outside = units[: max(1, round(self.held_out * len(units)))]
        train, test = order[:trained], order[trained:]
        latent = _components(values[:, :, units[len(outside) :]], train)
        draws = [self._drawn(train, rng) for _ in range(self.draws)]
        wanted = values[:, :, outside]
        return np.array([[_error(latent[:, :, :k], wanted, few, test) for k in range(most + 1)] for few in draws])

    def _drawn(self, train: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The trials that a map is fitted on."""
        return rng.permutation(train)[: self.shots] if self.shots else rng.choice(train, len(train))


def _components(x: np.ndarray, train: np.ndarray) -> np.ndarray:
    """(trial, time, component): x (trial, time, unit) on the principal axes of the trials `train`."""
    flat = x[train].reshape(-1, x.shape[2])
    axes = np.linalg.eigh(np.cov(flat.T))[1][:, ::-1]
    return (x - flat.mean(axis=0)) @ axes


def _error(latent: np.ndarray, wanted: np.ndarray, few: np.ndarray, test: np.ndarray) -> float:
    """Mean squared error in the trials `test` of the least-squares map from latents to units that `few` give."""
    design = np.concatenate([np.ones((*latent.shape[:2], 1)), latent], axis=2)
    x, y = design[few].reshape(-1, design.shape[2]), wanted[few].reshape(-1, wanted.shape[2])
    slope = np.linalg.lstsq(x, y, rcond=1e-8)[0]
    return float(np.square(wanted[test] - design[test] @ slope).mean())
