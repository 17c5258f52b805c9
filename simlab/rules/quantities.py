"""Quantities that many plug-ins have, each with what is possible and plausible of it.

Ranges are wide: they hold what has been measured or is commonly simulated, with room on both sides, and yet keep apart
neighbouring units (volts from millivolts, seconds from milliseconds).
"""

from __future__ import annotations

from math import pi
from typing import Annotated

from simlab.rules.ranges import Within

Share = Annotated[float, Within(0, 1)]
"""A probability, or a share of a whole."""

Level = Annotated[float, Within(0, 1, excluding=(0, 1))]
"""A level of significance, or a rate of false discoveries."""

Count = Annotated[int, Within(1, 10_000)]
"""Of neurons, units, sites ...: matrices of all pairs are kept, and for 10,000 one of them fills 800 MB."""

Repeats = Annotated[int, Within(1, 100_000)]
"""Of a resampling or an iteration."""

Potential = Annotated[float, Within(-0.15, 0.1, "V")]
"""A membrane potential: between the reversal potentials of potassium (-0.1 V) and sodium (0.06 V)."""

Drive = Annotated[float, Within(-0.1, 0.1, "V")]
"""A current, as the change of the membrane potential that it would end in: threshold lies some 20 mV above rest."""

Fluctuation = Annotated[float, Within(0, 0.05, "V")]
"""Standard deviation of a membrane potential: 2 to 6 mV in vivo (Destexhe et al. 2003)."""

Noise = Annotated[float, Within(0, 0.05, "V", excluding=(0,))]
"""The same where there must be some: a transfer function without noise has a corner."""

Weight = Annotated[float, Within(0, 0.05, "V/Hz")]
"""A drive per rate of all that contact a neuron: at 50 mV/Hz, one spike per second of theirs is more than threshold."""

MembraneTimeConstant = Annotated[float, Within(1e-3, 0.2, "s")]
"""Of neurons from auditory brainstem (below 1 to 2 ms) to cortex (10 to 50 ms; NeuroElectro has none above 150)."""

SynapticTimeConstant = Annotated[float, Within(1e-4, 1.0, "s")]
"""Of fast AMPA (below 1 ms) to GABA_B receptors (some 200 ms)."""

Refractory = Annotated[float, Within(0, 0.1, "s")]
"""A refractory period: 1 to 5 ms as a rule."""

Delay = Annotated[float, Within(0, 0.1, "s")]
"""Of conduction and synapse: some 1 ms locally, 20 to 50 ms along thin callosal axons."""

Step = Annotated[float, Within(1e-6, 5e-3, "s")]
"""Of an integration."""

Pause = Annotated[float, Within(0, 100.0, "s")]
"""A part of a trial, or what comes before it."""

Width = Annotated[float, Within(1e-5, 20.0, "s")]
"""Of bins, kernels and windows of an analysis: from a sample of a spike's waveform to a slow drift."""

Angle = Annotated[float, Within(0, pi, "rad", excluding=(0,))]
"""How far something reaches on a circle, to either side."""

Distance = Annotated[float, Within(1e-7, 0.02, "m")]
"""Within a brain: from the width of an axon to that of a hemisphere."""

Rate = Annotated[float, Within(0, 2000.0, "Hz")]
"""Of spikes or events; a refractory period of 1 ms allows 1000 Hz."""

Density = Annotated[float, Within(1e10, 1e16, "1/m^3")]
"""Of neurons in tissue: 2e13 to 2e14 in cortex, 1e15 and more among cerebellar granule cells."""
