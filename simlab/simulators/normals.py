"""Random numbers inside compiled code: the very numbers of NumPy's `Generator(SFC64)`, drawn at twice its speed.

A stream is the four words of an SFC64 generator (Doty-Humphrey; period >= 2^64), in an array that drawing moves on.
Normal numbers come from NumPy's ziggurat (Marsaglia & Tsang 2000, J Stat Softw 5:8) and its tables, which numba
carries for its own use; a test holds that the numbers are NumPy's to the bit.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit, uint64
from numba.np.random._constants import fi_double, ki_double, wi_double

TAIL = 3.6541528853610088
"""Where the ziggurat's tail begins."""

_ONE_IN_2_53 = 1.0 / 9007199254740992.0


def words_of(rng: np.random.Generator) -> np.ndarray:
    """(4,) the stream that `Generator(SFC64)` would draw from if seeded like `rng`."""
    state: dict[str, dict[str, np.ndarray]] = np.random.SFC64(rng.bit_generator.seed_seq).state  # type: ignore
    return state["state"]["state"].copy()


@njit
def _next(a, b, c, count):  # type: ignore[no-untyped-def]
    """SFC64: a random word, and the state after it."""
    word = a + b + count
    turned = (c << uint64(24)) | (c >> uint64(40))
    return word, b ^ (b >> uint64(11)), c + (c << uint64(3)), turned + word, count + uint64(1)


@njit
def _layer(word):  # type: ignore[no-untyped-def]
    """A word as a layer of the ziggurat, the whole number of 52 bits that places a point in it, and the point."""
    layer = word & uint64(0xFF)
    place = (word >> uint64(9)) & uint64(0x000FFFFFFFFFFFFF)
    x = place * wi_double[layer]
    return layer, place, -x if (word >> uint64(8)) & uint64(1) else x


@njit(inline="never")
def _rare(a, b, c, count, layer, place, x):  # type: ignore[no-untyped-def]
    """The one draw in a hundred that falls outside of its layer's box."""
    while True:
        if layer == 0:
            while True:
                word, a, b, c, count = _next(a, b, c, count)
                far = -math.log1p(-((word >> uint64(11)) * _ONE_IN_2_53)) * 0.27366123732975828
                word, a, b, c, count = _next(a, b, c, count)
                height = -math.log1p(-((word >> uint64(11)) * _ONE_IN_2_53))
                if height + height > far * far:
                    low = (place >> uint64(8)) & uint64(1)
                    return -(TAIL + far) if low else TAIL + far, a, b, c, count
        word, a, b, c, count = _next(a, b, c, count)
        height = (word >> uint64(11)) * _ONE_IN_2_53
        if (fi_double[layer - 1] - fi_double[layer]) * height + fi_double[layer] < math.exp(-0.5 * x * x):
            return x, a, b, c, count
        word, a, b, c, count = _next(a, b, c, count)
        layer, place, x = _layer(word)
        if place < ki_double[layer]:
            return x, a, b, c, count


@njit(nogil=True, cache=True)
def fill_normals(stream, out):  # type: ignore[no-untyped-def]
    """Fills out (number,) float64 with standard normal numbers of a stream (4,) uint64."""
    a, b, c, count = stream[0], stream[1], stream[2], stream[3]
    for i in range(len(out)):
        word, a, b, c, count = _next(a, b, c, count)
        layer, place, x = _layer(word)
        if place >= ki_double[layer]:
            x, a, b, c, count = _rare(a, b, c, count, layer, place, x)
        out[i] = x
    stream[0], stream[1], stream[2], stream[3] = a, b, c, count


@njit(nogil=True, cache=True)
def fill_uniforms(stream, out):  # type: ignore[no-untyped-def]
    """Fills out (number,) float64 with numbers uniform in 0..1, 1 excluded."""
    a, b, c, count = stream[0], stream[1], stream[2], stream[3]
    for i in range(len(out)):
        word, a, b, c, count = _next(a, b, c, count)
        out[i] = (word >> uint64(11)) * _ONE_IN_2_53
    stream[0], stream[1], stream[2], stream[3] = a, b, c, count
