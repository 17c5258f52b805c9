"""simlab: a simulated neuroscience lab, in which the mechanism is known and methods are scored on finding it."""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "from_arrays": "simlab.data", "bin_spikes": "simlab.data", "signals": "simlab.data",
    "Finding": "simlab.contracts", "Budget": "simlab.contracts", "SimlabError": "simlab.contracts",
    "BudgetExceeded": "simlab.contracts",
    "Session": "simlab.session", "Perturbation": "simlab.session", "Stimulus": "simlab.session",
    "NeuronPerturbation": "simlab.session",
    "register": "simlab.registry", "create": "simlab.registry", "names": "simlab.registry",
    "Experiment": "simlab.experiment", "Grid": "simlab.experiment", "Plan": "simlab.experiment",
    "Claim": "simlab.claims", "Measured": "simlab.claims",
    "run": "simlab.running.loop", "Results": "simlab.store.results", "open_results": "simlab.store.results",
    "check": "simlab.checks.check", "stream": "simlab.streams",
    "generate": "simlab.exchange.generate",
}  # fmt: skip

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'simlab' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
