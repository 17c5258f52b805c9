"""The verdict 'attractor' from synapses seen at work: inhibitory spikes that others fall silent after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.dynamics._correlogram import asymmetry, putative_inhibitory
from methods.dynamics._verdicts import attractor_finding
from methods.population._population import odds_of_significance, unusable
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Level, Repeats, Share

Lag = Annotated[float, Within(0, 0.2, "s")]


@dataclass(frozen=True)
class ShortLatencyCoupling:
    """Says attractor if units that look inhibitory suppress the rest within milliseconds, and not the other way round.

    Recurrence is synapses, and synapses act after a spike and not before it. The `inhibitory_share` of the units that
    fire most and least variably are taken for inhibitory (by ranks of rate and Fano factor); the spikes of all others
    `first` to `last` after theirs are counted less those as long before (a correlogram's asymmetry: Perkel, Gerstein &
    Moore 1967; Bartho et al. 2004, J Neurophysiol 92:600). Common drive and shared fluctuations are symmetric, unless
    they reach one kind sooner; an effect below zero at `level` (normal, scatter over trials) counts for recurrence.

    It sees that there are synapses, not what they are for: any inhibited network passes, and neurons that share their
    background's timing with one that has them may. Costs well below a second.
    """

    name: ClassVar[str] = "short_latency_coupling"
    question: ClassVar[str] = "mechanism"
    family: ClassVar[str] = "correlogram"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(("spikes",), units=8, trials=8)

    first: Lag = 0.003  # s; nearer than that, bins and sorters blur order
    last: Lag = 0.010  # s, a time constant of fast inhibition
    inhibitory_share: Share = 0.2  # of neurons (Markram et al. 2004: 10 to 20% of cortex)
    level: Level = 0.001
    least_spikes: Repeats = 500  # pairs of spikes within the lags

    def __post_init__(self) -> None:
        check_fields(self)
        require(self.first < self.last, f"first must be < last, got {self.first} and {self.last} s")

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The verdict on a Recording; the notes give the z score and how many pairs of spikes it stands on."""
        from scipy.stats import norm

        refusal = unusable(recording, self.needs)
        if refusal is not None:
            return refusal
        found = asymmetry(recording, putative_inhibitory(recording, self.inhibitory_share), (self.first, self.last))
        if found.spikes < self.least_spikes:
            return Finding.abstain(
                f"{found.spikes} pairs of spikes within the lags; {self.least_spikes} are the fewest that say anything"
            )
        probability = odds_of_significance(float(norm.cdf(found.z)), self.level)
        notes: dict[str, object] = {"z": found.z, "pairs": found.pairs, "spike_pairs": found.spikes}
        return attractor_finding(recording.attrs.get("brief", {}), probability, notes)
