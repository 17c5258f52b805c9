"""What the neurons of trained networks are like, whatever they were trained to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from simlab.rules import Within, check_fields


@dataclass(frozen=True)
class Cells:
    """Rate neurons between 0 and twice `base`, each a pool of like cells; spikes may be drawn of one of them."""

    n_neurons: Annotated[int, Within(12, 1000)] = 64  # (Mante et al. 2013 and Song et al. 2016: 100)
    time_constant: Annotated[float, Within(0.04, 1, "s")] = 0.1  # s, of NMDA receptors (Song et al. 2016)
    base: Annotated[float, Within(1, 100, "Hz")] = 20.0  # Hz at rest; cortical cells in delays fire at 10 to 40 Hz
    private_noise: Annotated[float, Within(0, 20, "Hz")] = 0.25  # sd, of a cell without synapses
    interval_cv: Annotated[float, Within(0.05, 2)] = 0.7  # of spikes (`line_attractor`)
    model: Literal["spiking", "rate"] = "rate"

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def modalities(self) -> tuple[str, ...]:
        """What activity of them holds."""
        return ("spikes",) if self.model == "spiking" else ("rate",)
