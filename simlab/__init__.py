"""simlab: a simulated neuroscience lab, in which the mechanism is known and methods are scored on finding it."""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.3.0"

_HOMES = {
    "from_arrays": "simlab.data", "bin_spikes": "simlab.data", "signals": "simlab.data",
    "equal_trials": "simlab.data",
    "Finding": "simlab.contracts", "Budget": "simlab.contracts", "SimlabError": "simlab.contracts",
    "BudgetExceeded": "simlab.contracts", "Variable": "simlab.contracts", "Picture": "simlab.contracts",
    "Needs": "simlab.contracts",
    "Model": "simlab.candidates",
    "Session": "simlab.session", "Perturbation": "simlab.session", "Stimulus": "simlab.session",
    "Effect": "simlab.session",
    "register": "simlab.registry", "create": "simlab.registry", "names": "simlab.registry",
    "Experiment": "simlab.experiment", "Grid": "simlab.experiment", "Plan": "simlab.experiment",
    "Claim": "simlab.claims", "Measured": "simlab.claims",
    "run": "simlab.running.loop", "Results": "simlab.results", "open_results": "simlab.results",
    "check": "simlab.checks.check", "stream": "simlab.streams", "score": "simlab.scoring",
    "score_again": "simlab.running.rescoring", "analyse": "simlab.analysis",
    "generate": "simlab.exchange.generate",
}  # fmt: skip

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'simlab' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
