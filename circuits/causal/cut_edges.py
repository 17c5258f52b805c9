"""What an animal does with some of its connections cut: exactly, for every set of them, lapses and all.

An area that lapses says nothing, as does one of which all connections are cut. So a table of every set of connections
without lapses tells of lapses as well, but for areas that are heard otherwise: outputs, hidden areas and those that
speak to hidden ones. These are on the table themselves.
"""

from __future__ import annotations

import numpy as np

from circuits.causal.layout import Layout, in_order
from simlab.coalitions import MOST_PARTS
from simlab.rules import require

MOST_ON_THE_TABLE = 20
"""Connections and areas whose sets are enumerated: a million states of each area."""

MOST_WORK = 2**26
"""Sets times patterns: seconds."""


def can_be_cut(layout: Layout, pre: np.ndarray, post: np.ndarray) -> bool:
    """Whether the outcome of every set of these connections (edge,) can be enumerated."""
    bits = len(pre) + len(_themselves(layout, pre, post))
    few = 0 < len(pre) <= MOST_PARTS and bits <= MOST_ON_THE_TABLE
    return few and 2**bits * len(layout.patterns) <= MOST_WORK and in_order(layout.weights) is not None


def with_edges_cut(layout: Layout, lapse: float | np.ndarray, pre: np.ndarray, post: np.ndarray) -> np.ndarray:
    """(set of edges,) the expected outcome with the connections (edge,) of each set there and the others cut.

    lapse: of each area, one or (area,). Numbers of sets are those of `simlab.coalitions`. Raises SimlabError where that
    is too much (`can_be_cut`).
    """
    require(
        can_be_cut(layout, pre, post),
        f"sets of 1 to {MOST_PARTS} connections are enumerated, of areas of which none reaches itself, got {len(pre)}: "
        "ask about fewer",
    )
    themselves = _themselves(layout, pre, post)
    sets = np.arange(2 ** (len(pre) + len(themselves)))
    right = np.zeros(len(sets))
    for given, wanted in zip(layout.patterns + layout.tonic, layout.wanted, strict=True):
        state = _settled(layout, given, sets, pre, post, themselves)
        right += (state[list(layout.outputs)] == wanted[:, None]).all(axis=0)
    table = right / len(layout.patterns)
    for area, fails in enumerate(np.broadcast_to(lapse, (layout.n_areas,))):
        bits = np.flatnonzero(pre == area) if area not in themselves else [len(pre) + themselves.index(area)]
        table = (1 - fails) * table + fails * table[sets & ~int(np.sum(2 ** np.asarray(bits, dtype=int)))]
    return table[-(2 ** len(pre)) :]


def _themselves(layout: Layout, pre: np.ndarray, post: np.ndarray) -> list[int]:
    """The areas that are heard otherwise than through these connections."""
    others = layout.weights != 0
    others[pre, post] = False
    heard = others.any(axis=1)
    heard[list(layout.outputs)] = True
    return np.flatnonzero(heard).tolist()


def _settled(
    layout: Layout, given: np.ndarray, sets: np.ndarray, pre: np.ndarray, post: np.ndarray, themselves: list[int]
) -> np.ndarray:
    """(area, set) bool: each area's state in the end, with what comes from outside (area,)."""
    state = np.zeros((layout.n_areas, len(sets)), dtype=bool)
    edge = {(int(i), int(j)): number for number, (i, j) in enumerate(zip(pre, post, strict=True))}
    for area in in_order(layout.weights) or ():
        h = np.full(len(sets), float(given[area]))
        for source in np.flatnonzero(layout.weights[:, area]):
            number = edge.get((int(source), area))
            there = True if number is None else (sets >> number) & 1 == 1
            h += layout.weights[source, area] * (state[source] & there)
        state[area] = h > layout.threshold[area]
        if area in themselves:
            state[area] &= (sets >> (len(pre) + themselves.index(area))) & 1 == 1
    return state
