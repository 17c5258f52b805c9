"""Latents by Gaussian-process factor analysis: factors and their smoothness are found together."""

from __future__ import annotations

from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.latents._factors import NFactors, asked_times, at_times, refused, seen, wanted_factors
from methods.latents.pca_latents import Smoothing
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Repeats, Width


@dataclass(frozen=True)
class Gpfa:
    """Factor analysis of square-root counts whose factors are Gaussian processes.

    After Yu et al. 2009 (J Neurophysiol 102:614). Each factor's time constant is fitted, so that no kernel has to be
    chosen. The number of factors is that of components above shifted data after smoothing (`selection_smoothing`),
    unless it is given. Expectation-maximisation costs the cube of (factors x bins) in each iteration: 100 trials of 2 s
    in 50 ms bins take about a second. At most `most_fitted` trials are fitted, evenly taken; latents of all are
    inferred.
    """

    name: ClassVar[str] = "gpfa"
    question: ClassVar[str] = "latents"
    family: ClassVar[str] = "Gaussian processes"
    library: ClassVar[str] = "elephant"
    needs: ClassVar[Needs] = Needs(("spikes",), units=3, trials=2)

    bin_width: Width = 0.05  # s, of spike counts (Yu et al. 2009: 20 ms; wider bins are faster)
    selection_smoothing: Smoothing = 0.05  # s, sd of the kernel under which the number of factors is chosen
    n_factors: NFactors = 0
    iterations: Repeats = 30
    most_fitted: Annotated[int, Within(2, 100_000)] = 40  # trials
    longest: Annotated[int, Within(2, 10_000)] = 100  # bins of a trial: the cost of more is prohibitive

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Posterior means of the factors; abstains where none stands out or trials are too long."""
        if (refusal := refused(recording, self.needs)) is not None:
            return refusal
        found = seen(recording, self.bin_width, 0.0)
        bins = found.values.shape[1]
        if not 2 <= bins <= self.longest:
            return Finding.abstain(f"needs trials of 2 to {self.longest} bins of {self.bin_width} s, got {bins}")
        smooth = seen(recording, self.bin_width, self.selection_smoothing).values
        number = wanted_factors(smooth, self.n_factors, rng)
        if isinstance(number, Finding):
            return number
        latent = self._inferred(found.values, number, found.step)
        return Finding({"latent": at_times(latent, found.time, asked_times(recording, found.time))})

    def _inferred(self, values: np.ndarray, number: int, step: float) -> np.ndarray:
        """(trial, time, factor): posterior means under the model fitted to some of the trials."""
        from elephant.gpfa import gpfa_core

        sequences = np.empty(len(values), dtype=[("trialId", "i8"), ("T", "i8"), ("y", "O")])
        for i, trial in enumerate(values):
            sequences[i] = (i, len(trial), np.ascontiguousarray(trial.T))
        fitted = np.unique(np.linspace(0, len(values) - 1, min(self.most_fitted, len(values))).round().astype(int))
        with redirect_stdout(StringIO()):  # it tells of its progress
            model, _ = gpfa_core.fit(sequences[fitted], number, step * 1e3, em_max_iters=self.iterations)
        result, _ = gpfa_core.exact_inference_with_ll(sequences, model)
        return np.stack([np.asarray(r).T for r in result["latent_variable"]])
