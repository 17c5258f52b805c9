"""Latents by tensor component analysis: unit weights x time courses x trial weights."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.latents._factors import NFactors, refused, seen, wanted_factors
from methods.latents.pca_latents import Smoothing
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Repeats, Width


@dataclass(frozen=True)
class TensorComponents:
    """Canonical polyadic decomposition of (trial, time, unit): factor f is a_f(trial) b_f(time), read by c_f(unit).

    Williams et al. 2018 (Neuron 98:1099): it finds factors with one time course whose size changes from trial to trial.
    Factors that take another course in each trial are not of that form, and where less than `least_explained` of what
    as many principal components explain is explained, it abstains. non_negative: all three are >= 0, of activity above
    its least (hierarchical alternating least squares). Some seconds.
    """

    name: ClassVar[str] = "tensor_components"
    question: ClassVar[str] = "latents"
    family: ClassVar[str] = "tensor decomposition"
    library: ClassVar[str] = "tensorly"
    needs: ClassVar[Needs] = Needs(units=3, trials=4)

    bin_width: Width = 0.02  # s, of spike counts
    smoothing: Smoothing = 0.05  # s, sd of the Gaussian kernel
    n_factors: NFactors = 0
    non_negative: bool = False
    iterations: Repeats = 200
    least_explained: Annotated[float, Within(0, 1)] = 0.5  # of the variance that principal components explain

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Factors of a Recording; abstains where none stands out or they are not of this form."""
        if (refusal := refused(recording, self.needs)) is not None:
            return refusal
        found = seen(recording, self.bin_width, self.smoothing)
        x = found.z_scored
        number = wanted_factors(x, self.n_factors, rng)
        if isinstance(number, Finding):
            return number
        if self.non_negative:
            x = (found.values - found.flat.min(axis=0)) / found.flat.std(axis=0)
        trial, time, share = self._decomposed(x, number, rng)
        if share < self.least_explained:
            return Finding.abstain(
                f"factors of one time course explain {share:.2f} of what as many principal components do; "
                f"this needs {self.least_explained}: they change from trial to trial"
            )
        return found.finding(np.einsum("kf,tf->ktf", trial, time), recording)

    def _decomposed(self, x: np.ndarray, number: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, float]:
        """Trial weights, time courses, and the variance explained as a share of what principal components explain."""
        from tensorly.cp_tensor import cp_to_tensor
        from tensorly.decomposition import non_negative_parafac_hals, parafac

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of degenerate starts, which the share explained judges
            seed = int(rng.integers(2**31))
            fit = non_negative_parafac_hals if self.non_negative else parafac
            model = fit(x, number, n_iter_max=self.iterations, init="svd", tol=1e-6, random_state=seed)
        left = float(np.square(x - cp_to_tensor(model)).sum())
        size = np.linalg.svd(x.reshape(-1, x.shape[2]), compute_uv=False)
        total = float(np.square(x).sum())
        share = max(0.0, total - left) / float(np.square(size[:number]).sum())
        weights, (trial, time, _) = model
        return np.nan_to_num(np.asarray(trial) * np.asarray(weights)), np.nan_to_num(np.asarray(time)), share
