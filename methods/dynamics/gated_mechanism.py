"""A mechanism named only where the data look like any of those on the list: gates first, then the choice."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from methods.dynamics._correlogram import asymmetry, putative_inhibitory
from methods.dynamics._delay import Delay, in_the_dark
from methods.dynamics._fluctuations import fluctuations
from methods.dynamics._verdicts import ATTRACTORS, attractor_finding, listed, none_finding
from methods.population._population import lay_out, odds_of_significance, significant_components, smoothed, unusable
from simlab.contracts import Finding, Needs
from simlab.rules import check_fields
from simlab.rules.quantities import Level, Pause, Repeats, Width


@dataclass(frozen=True)
class GatedMechanism:
    """An attractor or its passive likeness, if the data pass three gates that both must pass; else none of these.

    Both a ring (or line) and a population that hears of one are expected to
    1. covary at all: principal components above those of shifted units (else: independent neurons);
    2. remember: late in the dark what was shown can be read from them (else: tuned to the cue, or leaky);
    3. err together: given the cue, halves of the units share their error (else: independent neurons, told the state).
    What passes goes on to the choice, by the asymmetry of inhibitory correlograms: synapses, or none (see
    `short_latency_coupling`). Gates need no model of the alternatives, so that a mechanism that nobody listed is not
    given the nearest name (goodness of fit before model choice: Gelman et al. 1996, Stat Sinica 6:733).

    What remembers by other means (slow cells, a hidden chain, discrete states) passes all gates. Costs seconds.
    """

    name: ClassVar[str] = "gated_mechanism"
    question: ClassVar[str] = "mechanism"
    family: ClassVar[str] = "model choice"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(("spikes",), units=8, trials=15)

    level: Level = 0.01  # of every gate
    coupling_level: Level = 0.001
    n_resamples: Repeats = 300
    n_shuffles: Repeats = 20
    bin_width: Width = 0.05  # s
    min_dark: Pause = 0.8  # s
    wait: Pause = 0.1  # s
    least_spikes: Repeats = 500

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The verdict on a Recording; the notes give each gate's statistic."""
        brief = recording.attrs.get("brief", {})
        refusal = unusable(recording, self.needs)
        if refusal is not None:
            return refusal
        if listed(brief, ATTRACTORS) not in brief.get("candidates", ()):
            return Finding.abstain(f"tells {' or '.join(ATTRACTORS)} from what looks like it; neither is a candidate")
        n_components = significant_components(
            lay_out(smoothed(recording, self.bin_width, 2 * self.bin_width)[0]), self.n_shuffles, rng
        )
        if n_components == 0:
            return none_finding(brief, 0.95, "units are independent", {"components": 0})
        delay = in_the_dark(recording, self.bin_width, self.min_dark, self.wait)
        if isinstance(delay, Finding):
            return delay
        if delay.shown is None:
            return none_finding(brief, 0.6, "nothing is shown, so nothing can be remembered", {})
        return self._judge(recording, delay, rng)

    def _judge(self, recording: xr.Dataset, delay: Delay, rng: np.random.Generator) -> Finding:
        from scipy.stats import norm

        brief, found = recording.attrs.get("brief", {}), fluctuations(delay, self.n_resamples, rng)
        notes: dict[str, object] = dict(asdict(found))
        for p, why in ((found.p_persistence, "nothing is remembered"), (found.p_shared, "units err on their own")):
            if p > self.level:
                return none_finding(brief, 1 - odds_of_significance(p, self.level), why, notes)
        coupling = asymmetry(recording, putative_inhibitory(recording, 0.2), (0.003, 0.010))
        if coupling.spikes < self.least_spikes:
            return Finding.abstain(f"passes the gates, but {coupling.spikes} pairs of spikes cannot show a synapse")
        probability = odds_of_significance(float(norm.cdf(coupling.z)), self.coupling_level)
        return attractor_finding(brief, probability, notes | {"z": coupling.z})
