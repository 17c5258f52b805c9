"""Which engine runs spiking networks: chosen once for a run, and told to its workers."""

from __future__ import annotations

import os

from simlab.contracts import SimlabError

ENGINES = ("auto", "kernel", "brian2", "brian2-cython")

VARIABLE = "SIMLAB_ENGINE"
"""The environment variable that names the engine, so that child processes have it too."""


def chosen_engine() -> str:
    """The engine of this run: `auto`, unless another was chosen."""
    engine = os.environ.get(VARIABLE) or ENGINES[0]
    if engine not in ENGINES:
        raise SimlabError(f"{VARIABLE} must be one of {', '.join(ENGINES)}, got {engine!r}: unset it, or name one")
    return engine
