"""Which features are present with which: independently, in correlation, or children with their parents alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from scipy.special import ndtri

Together = Literal["independent", "correlated", "hierarchical"]

RANK = 4
"""Dimensions of what correlates features."""

CHILDREN = 4
"""Of a feature with children, exclusive of one another."""

BRANCHING = 0.2
"""Probability of each child where its parent is present: in a fifth of the cases none is."""


def unit_vectors(number: int, dimensions: int, rng: np.random.Generator) -> np.ndarray:
    """(number, dimensions) drawn evenly from the unit sphere."""
    rows = rng.standard_normal((number, dimensions))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def first_child(parent: int, n_features: int) -> int:
    """The number of the first child of a feature; that of feature 0 is the first that is no root."""
    return max(n_features // 8, 1) + CHILDREN * parent


def parent_of(k: int, n_features: int) -> int | None:
    """The parent of feature k in the hierarchy; None for a root."""
    below = k - first_child(0, n_features)
    return below // CHILDREN if below >= 0 else None


def ancestors(k: int, n_features: int) -> list[int]:
    """Feature k itself, its parent, its parent's ... up to a root."""
    line = [k]
    while (parent := parent_of(line[-1], n_features)) is not None:
        line.append(parent)
    return line


def present(
    together: Together,
    p: np.ndarray,
    individual: Mapping[str, np.ndarray],
    shape: tuple[int, ...],
    rng: np.random.Generator,
) -> np.ndarray:
    """(..., feature) whether each feature of probability p (feature,) is there; individual: `loading` if correlated."""
    if together == "correlated":
        loading = individual["loading"]
        own = np.sqrt(np.maximum(1 - (loading**2).sum(axis=1), 0.0))
        shared = rng.standard_normal((*shape[:-1], loading.shape[1])) @ loading.T
        return np.asarray(shared + own * rng.standard_normal(shape) < ndtri(p))
    chance = rng.random(shape)
    there = chance < p
    if together == "hierarchical":
        choice = (rng.random(shape) / BRANCHING).astype(int)  # which child would come with each, 4: none
        for k in range(shape[-1]):
            if (parent := parent_of(k, shape[-1])) is not None:
                place = k - first_child(parent, shape[-1])
                there[..., k] = there[..., parent] & (choice[..., parent] == place)
    return there


def joint(together: Together, p: np.ndarray, individual: Mapping[str, np.ndarray]) -> np.ndarray:
    """(feature, feature) probability that both are there; the diagonal is of no meaning."""
    if together == "independent":
        return np.outer(p, p)
    if together == "correlated":
        return _orthants(ndtri(p), individual["loading"] @ individual["loading"].T, p)
    lines = [ancestors(k, len(p)) for k in range(len(p))]
    both = np.outer(p, p)
    for k, own in enumerate(lines):
        for m, other in enumerate(lines):
            if own[-1] == other[-1]:  # of one root: together where one is above the other, else exclusive
                both[k, m] = p[k] if m in own else p[m] if k in other else 0.0
    return both


def _orthants(threshold: np.ndarray, correlation: np.ndarray, p: np.ndarray) -> np.ndarray:
    """P(z_k < h_k, z_m < h_m) of standard Gaussians: its slope in the correlation is their joint density (Plackett)."""
    nodes, weights = np.polynomial.legendre.leggauss(24)
    inside = np.where(np.eye(len(p), dtype=bool), 0.0, np.clip(correlation, -0.999, 0.999))
    a, b = threshold[:, None], threshold[None, :]
    found = np.outer(p, p)
    for node, weight in zip(nodes, weights, strict=True):
        r = inside * (node + 1) / 2
        density = np.exp(-(a**2 - 2 * r * a * b + b**2) / (2 * (1 - r**2))) / (2 * np.pi * np.sqrt(1 - r**2))
        found = found + weight * inside / 2 * density
    return found
