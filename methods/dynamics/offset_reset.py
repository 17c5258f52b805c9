"""The verdict 'attractor' from fluctuations: the state outlasts the cue, and its errors are everybody's and grow."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from methods.dynamics._delay import in_the_dark
from methods.dynamics._fluctuations import fluctuations
from methods.dynamics._verdicts import attractor_finding
from methods.population._population import odds_of_significance, unusable
from simlab.contracts import Finding, Needs
from simlab.rules import check_fields
from simlab.rules.quantities import Level, Pause, Repeats, Width


@dataclass(frozen=True)
class OffsetReset:
    """Says attractor if what was shown can be read late in the dark and its offset is one offset of all units.

    An attractor's errors lie along its manifold and are not corrected: given the cue, the state read from one half of
    the units errs as that read from the other, and these shared errors covary more the longer the dark lasts
    (Compte et al. 2000; Wimmer et al. 2014, Nat Neurosci 17:431; Burak & Fiete 2012). Were activity reset to what was
    shown, or units fluctuated on their own, halves would err independently; the covariance of halves has no share of
    the units' own noise. All three (it lasts, it is shared, it grows) must hold at `level`, by permutation of trials
    and bootstrap.

    Blind to where the state is kept: whatever hears of an attractor passes. Costs a second for 100 units and trials.
    """

    name: ClassVar[str] = "offset_reset"
    question: ClassVar[str] = "mechanism"
    family: ClassVar[str] = "noise correlation"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(units=8, trials=15)

    level: Level = 0.05
    n_resamples: Repeats = 500
    bin_width: Width = 0.05  # s
    min_dark: Pause = 0.8  # s
    wait: Pause = 0.1  # s after the cue, until it has died out in synapses

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The verdict on a Recording; the notes give the three statistics and their p-values."""
        refusal = unusable(recording, self.needs)
        if refusal is not None:
            return refusal
        delay = in_the_dark(recording, self.bin_width, self.min_dark, self.wait)
        if isinstance(delay, Finding):
            return delay
        if delay.shown is None:
            return Finding.abstain("nothing was shown that a later state could be an offset from")
        found = fluctuations(delay, self.n_resamples, rng)
        worst = max(found.p_persistence, found.p_shared, found.p_growth)
        probability = odds_of_significance(worst, self.level)
        return attractor_finding(recording.attrs.get("brief", {}), probability, dict(asdict(found)))
