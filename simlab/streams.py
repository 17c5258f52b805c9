"""Random streams: one-way-hashed children of a seed, so that no generator gives away the run's seed.

A role is a path of words and numbers (`"subject", 3`); the same (seed, role) gives the same stream on any
machine, whatever else ran before it and however many workers there are.
"""

from __future__ import annotations

import hashlib
import json

import numpy as np


def stream(seed: int | str, *role: str | int) -> np.random.Generator:
    """A generator for one role of one seed.

    The generator's own entropy is the first 128 bits of SHA-256(seed, role): it can be compared, never
    inverted. A blind contest should still use a long secret seed, since short ones can be guessed.
    """
    return np.random.Generator(np.random.PCG64(digest_int(seed, *role)))


def digest_int(seed: int | str, *role: str | int) -> int:
    """The 128-bit integer that seeds `stream(seed, *role)`."""
    text = json.dumps(["simlab-stream", str(seed), *role], separators=(",", ":"))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "little")


def brian_seed(rng: np.random.Generator) -> int:
    """A 31-bit seed for libraries that take only a small integer."""
    return int(rng.integers(2**31 - 1))
