"""Which regime a rate network's noise-free dynamics are in, read off its fixed points and Jacobians."""

from __future__ import annotations

import numpy as np

PERSISTENT = 10.0
"""Time constants of the slowest cell that a mode must outlast to be a memory of the network's, not of its cells."""


def linear_regime(jacobian: np.ndarray, time_constant: float | np.ndarray) -> str:
    """The regime of dx/dt = J x for cells of these time constants (neuron,) [s]; J [1/s].

    With T the slowest cell's time constant: `line attractor` if exactly one mode decays more slowly than `PERSISTENT`
    T; `non-normal integrator` if none does and yet some state is, after `PERSISTENT` T, no smaller than it was, which
    no normal matrix allows (|exp(J t)| >= 1; Goldman 2009, Neuron 61:621; Trefethen & Embree 2005, Spectra and
    Pseudospectra); else `fixed point`. Cells that are slow alike, and unconnected, are the latter.
    """
    from scipy.linalg import expm

    long = PERSISTENT * float(np.max(time_constant))
    slow = int((np.linalg.eigvals(jacobian).real > -1 / long).sum())
    if slow == 1:
        return "line attractor"
    if slow > 1:
        raise ValueError(f"{slow} modes outlast {long:g} s: a manifold of that dimension has no name in the list")
    return "non-normal integrator" if np.linalg.norm(expm(jacobian * long), 2) >= 1 else "fixed point"


def distinct(states: np.ndarray, tolerance: float = 1e-3) -> np.ndarray:
    """Each of states (state, neuron) that differs from all before it by more than this share of the largest."""
    kept: list[np.ndarray] = []
    for state in states:
        if all(np.abs(state - other).max() > tolerance * np.abs(states).max() for other in kept):
            kept.append(state)
    return np.array(kept)
