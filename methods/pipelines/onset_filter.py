"""Onset filter: what a calcium signal does when its cell fires, with noise and the decay of old transients cut away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
import xarray as xr

from methods.pipelines._steps import Unusable, signal_of, with_signal
from methods.wiring.filtered_partial_correlation import MIN_LENGTH, onsets, weighted
from simlab.contracts import Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Count


@dataclass(frozen=True)
class OnsetFilter:
    """The filters of the winners of the Connectomics challenge, as a step of its own (Sutera et al. 2014).

    w(h(g(f(x)))): low pass f, differences g, hard threshold h and the weight w of moments in which few are active; see
    `methods.wiring.filtered_partial_correlation`, of which it is the first half. A trial's first and last samples,
    which the filters cannot reach, are left out. (Sutera et al. 2014, JMLR W&CP 46:23, arXiv 1406.7865.)
    """

    name: ClassVar[str] = "onset_filter"
    library: ClassVar[str] = "own"

    low_pass: Literal["symmetric", "causal"] = "symmetric"
    """f_1 or f_2 of the paper."""
    threshold: Annotated[float, Within(0, 10, excluding=(0,))] = 0.11
    """tau, in units in which the noise is that of the challenge (the same)."""
    network_size: Count = 1000
    """Neurons in whose total activity the weights are stated (the same)."""

    def __post_init__(self) -> None:
        check_fields(self)

    def before(self, needs: Needs) -> Needs:
        """What this step needs, if what follows has these needs: signals stay what they are."""
        return needs

    def apply(self, recording: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
        """Weighted onsets (trial, sample, unit) of the same modality, dimensionless."""
        signal = signal_of(recording, self).transpose("trial", "time", "unit")
        trace = signal.values.astype(float)
        if not np.isfinite(trace).all():
            raise Unusable("the signal holds values that are not finite: drop or fill those samples")
        if trace.shape[1] < MIN_LENGTH:
            raise Unusable(f"needs trials of at least {MIN_LENGTH} samples, got {trace.shape[1]}")
        rises = onsets(trace, self.low_pass, self.threshold, None)
        rows = weighted(rises.reshape(-1, rises.shape[2]), self.network_size).reshape(rises.shape)
        lost = trace.shape[1] - rises.shape[1]
        kept = signal["time"].values[lost // 2 : lost // 2 + rises.shape[1]]
        return with_signal(recording, rows, kept, str(signal.attrs["modality"]))
