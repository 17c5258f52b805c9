"""Random tensors that have the covariances of data along each axis, and nothing else: the maximum-entropy null.

The law of greatest entropy for a tensor whose covariances across times, units and conditions are given on average is
Gaussian, with independent entries in the product of the covariances' eigenbases and the variance of entry (i, j, k)
1 / (a_i + b_j + c_k); a, b and c are such that variances add up to the eigenvalues along each axis (Elsayed &
Cunningham 2017, Nat Neurosci 20:1310, supplementary note). An entry counts once for each axis.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SWEEPS = 60
"""Over the three axes: sums agree with the eigenvalues within a few thousandths then."""

NEWTON = 6
"""Steps towards the root of one equation in each sweep."""

NEGLIGIBLE = 1e-6
"""Directions with less than this share of the variance are left out: nothing is drawn there."""


@dataclass(frozen=True, eq=False)
class MaximumEntropyTensors:
    """bases: of each axis, (length, direction). spread: (direction, direction, direction) standard deviations."""

    bases: tuple[np.ndarray, ...]
    spread: np.ndarray

    @classmethod
    def like(cls, tensor: np.ndarray) -> MaximumEntropyTensors:
        """Those with the covariances of a tensor of three axes whose means are taken off."""
        bases, values = [], []
        for axis in range(3):
            unfolded = np.moveaxis(tensor, axis, 0).reshape(tensor.shape[axis], -1)
            eigenvalues, vectors = np.linalg.eigh(unfolded @ unfolded.T)
            kept = eigenvalues > NEGLIGIBLE * eigenvalues.sum()
            bases.append(vectors[:, kept])
            values.append(eigenvalues[kept] * unfolded.size**0)
        total = float(np.sum(tensor**2))
        values = [v * total / v.sum() for v in values]
        return cls(tuple(bases), 1.0 / np.sqrt(_precision(values)))

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """One tensor, shaped as the data."""
        entries = self.spread * rng.standard_normal(self.spread.shape)
        return np.einsum("ijk,ai,bj,ck->abc", entries, *self.bases, optimize=True)


def _precision(values: list[np.ndarray]) -> np.ndarray:
    """a_i + b_j + c_k, such that its inverse sums to the eigenvalues along each axis; by Newton's steps, axis by axis.

    Each equation, sum over two axes of 1 / (x + rest) = eigenvalue, falls from infinity to 0 in x > -min(rest).
    """
    sizes = [len(v) for v in values]
    parts = [np.full(n, np.prod(sizes) / 3.0 / values[0].sum()) for n in sizes]
    for _ in range(SWEEPS):
        for axis in range(3):
            others = [parts[k] for k in range(3) if k != axis]
            rest = (others[0][:, None] + others[1][None]).ravel()
            parts[axis] = _solve(values[axis], rest, parts[axis])
    return np.asarray(parts[0][:, None, None] + parts[1][None, :, None] + parts[2][None, None])


def _solve(wanted: np.ndarray, rest: np.ndarray, start: np.ndarray) -> np.ndarray:
    """x (direction,) with sum(1 / (x + rest)) = wanted: Newton on the logarithms, in y = log(x + min(rest))."""
    floor = rest.min()
    gap = rest - floor
    y = np.log(np.maximum(start + floor, 1e-300))
    for _ in range(NEWTON):
        x = np.exp(y)
        terms = 1.0 / (x[:, None] + gap)
        total, slope = terms.sum(axis=1), -(terms**2).sum(axis=1) * x
        y = y - np.clip((np.log(total) - np.log(wanted)) / (slope / total), -2.0, 2.0)
    return np.asarray(np.exp(y) - floor)
