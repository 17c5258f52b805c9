"""Sharp-wave ripples of the hippocampus: brief synchronous volleys at some 170 Hz, replaying a track in order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import numpy as np

from circuits.events.volleys import Volleys, VolleySubject
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Share


@dataclass(frozen=True)
class Ripples:
    """A hippocampal region at rest, recorded at several sites: background spikes, and now and then a ripple.

        rate_i(t) = r_i + sum_k a_k p_i g(t - t_k - lag_ik) (1 + depth cos(2 pi f_k (t - t_k)))

    t_k: a renewal process of rate `rate` with a pause of at least `pause`; g: a Gaussian of unit area of which two
    standard deviations to either side last d_k. Amplitudes a_k (mean 1) and lengths d_k are lognormal, so that many
    ripples are small and no threshold is right for all (Buzsaki & Mizuseki 2014, Nat Rev Neurosci 15:264; Buzsaki
    2015, Hippocampus 25:1073: .1 to 2 per second of rest, 30 to 100 ms, 110 to 200 Hz). Pyramidal cells take part with
    p_i spikes at an average one, in the order (lag_ik) or the reversed order of their places on a track (Foster &
    Wilson 2006, Nature 440:680); interneurons fire on most cycles (Csicsvari et al. 1999, J Neurosci 19:274). All
    spikes are drawn independently: what makes a ripple inside the tissue is not modelled, only what electrodes would
    see of it.

    Answers `events` (each ripple's centre; content 1: forward, -1: backward) and `mechanism`. A current changes
    background rates, and holding a neuron silent takes it out of the ripples too; nothing stops the others.
    """

    name: ClassVar[str] = "ripples"
    mechanism: ClassVar[str] = "sharp-wave ripples"
    questions: ClassVar[tuple[str, ...]] = ("events", "connectivity")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)

    volleys: Volleys = field(default_factory=Volleys)  # how often, how large, how long
    frequency: Annotated[float, Within(80, 300, "Hz")] = 170.0  # of the ripple (Buzsaki 2015: 110 to 200)
    frequency_spread: Annotated[float, Within(0, 50, "Hz")] = 10.0  # standard deviation over ripples
    depth: Share = 0.8  # of the modulation of rates at that frequency (Csicsvari et al. 1999: spikes lock strongly)

    def __post_init__(self) -> None:
        check_fields(self)

    def subject(self, rng: np.random.Generator) -> VolleySubject:
        """One animal: its neurons' rates, places on the track and parts in a ripple."""
        return VolleySubject.drawn(self, self.volleys, rng)

    def frequencies(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """(event,) [Hz] of each event's rhythm."""
        return rng.normal(self.frequency, self.frequency_spread, n)
