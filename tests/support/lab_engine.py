"""The lab's spiking engines by name, whether `simulate` knows several engines or, as it once did, targets alone."""

from __future__ import annotations

from inspect import signature
from typing import Any

import numpy as np

from simlab.session import Session
from simlab.simulators.spiking import Spikes, SpikingNetwork, simulate


def simulated(
    network: SpikingNetwork,
    session: Session,
    rng: np.random.Generator,
    *,
    engine: str | None = None,
    target: str | None = None,
    **options: Any,
) -> Spikes:
    """`simulate` with what it knows of engine and target; None: as it does by default, the engine that users get."""
    known = signature(simulate).parameters
    asked = {"engine": engine, "target": target}
    chosen = {name: value for name, value in asked.items() if value is not None and name in known}
    return simulate(network, session, rng, **chosen, **options)
