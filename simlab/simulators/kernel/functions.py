"""Brian2's functions that are neither NumPy's nor the math module's, for compiled code."""

from __future__ import annotations

import math

from numba import njit

from simlab.simulators.normals import fill_normals, fill_uniforms


@njit
def clip(x, low, high):  # type: ignore[no-untyped-def]
    """x, kept within low and high."""
    return min(max(x, low), high)


@njit
def sign(x):  # type: ignore[no-untyped-def]
    """-1, 0 or 1."""
    return (x > 0.0) - (x < 0.0)


@njit
def exprel(x):  # type: ignore[no-untyped-def]
    """(exp(x) - 1)/x, and its limit at 0."""
    return 1.0 if abs(x) < 1e-16 else math.expm1(x) / x


@njit
def timestep(time, dt):  # type: ignore[no-untyped-def]
    """The step in which a time lies, as Brian2 counts it."""
    return int((time + 1e-3 * dt) / dt)


@njit
def one_uniform(stream, space):  # type: ignore[no-untyped-def]
    """One number uniform in 0..1 of a stream; space: (1 or more,) to draw it into."""
    fill_uniforms(stream, space[:1])
    return space[0]


@njit
def one_normal(stream, space):  # type: ignore[no-untyped-def]
    """One standard normal number of a stream; space: (1 or more,) to draw it into."""
    fill_normals(stream, space[:1])
    return space[0]
