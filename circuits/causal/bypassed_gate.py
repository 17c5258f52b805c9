"""A formula whose gates all fire as they should, and one of which nobody listens to."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from circuits.causal.logic_tree import LogicTree
from circuits.causal.parts import Firing, Layout, PartsSubject
from simlab.coalitions import members
from simlab.rules import check_fields


@dataclass(frozen=True)
class BypassedGate:
    """The tree that `like` draws, of which one area hears what one of its gates hears, in the place of that gate.

    A gate that says m literals l_j (an area, or NOT an area) to a parent with n others o_i can be left out, as the
    parent is a threshold unit (a literal NOT x is 1 - x):

        AND of o, OR of l = [sum o + sum l / m > n + 1/(2m)],   OR of o, AND of l = [sum o + sum l / m > 1 - 1/(2m)]

    and an AND of ANDs, or OR of ORs, hears all alike. The parent so computes the same in every pattern of inputs. The
    gate fires as ever: it is tuned as in `like`, predicts the response as well, and matters not at all. Which gate it
    is, is drawn for each subject among those that excite their parent; where there is none, it is the animal of `like`.
    In `like` a gate that lapses keeps its parent off. Here it does not, and the parent lapses as much more often by
    itself as makes its rate, over all patterns, what it is there; outcomes then differ by squares of lapses.
    """

    name: ClassVar[str] = "bypassed_gate"
    mechanism: ClassVar[str] = "flat logic"
    twin_of: ClassVar[tuple[str, ...]] = ("logic_tree",)
    questions: ClassVar[tuple[str, ...]] = ("necessity", "circuit", "connectivity", "intervention_response")
    modalities: ClassVar[tuple[str, ...]] = ("spikes", "connectome")

    like: LogicTree = field(default_factory=LogicTree)  # the circuit whose trees, rates and behaviour it copies

    def __post_init__(self) -> None:
        check_fields(self)

    def imitating(self, circuit: LogicTree) -> BypassedGate:
        """A copy that is matched to this circuit."""
        return replace(self, like=circuit)

    def prior(self, rng: np.random.Generator) -> BypassedGate:
        """As the circuit that it imitates."""
        return BypassedGate(self.like.prior(rng))

    def subject(self, rng: np.random.Generator) -> PartsSubject:
        """One animal, with a tree of its own."""
        like, twin = self.like, self.like.subject(rng)
        layout, lapse = twin.layout, np.full(twin.layout.n_areas, like.lapse)
        gates = [g for g, row in enumerate(layout.weights) if row.max() > 0 and layout.weights[:, g].any()]
        if gates:
            gate = gates[int(rng.integers(len(gates)))]
            parent = int(layout.weights[gate].argmax())
            layout = bypassed(layout, gate)
            there, here = (on_in(one, lapse)[:, parent].mean() for one in (twin.layout, layout))
            lapse[parent] = 1 - (1 - like.lapse) * there / here if here > 0 else like.lapse
        return PartsSubject(self.name, layout, Firing(like.on_rate, like.off_rate, lapse))


def bypassed(layout: Layout, gate: int) -> Layout:
    """The layout of a tree in which the area that this gate excites hears what the gate hears, and not the gate."""
    parent, weights, threshold = int(layout.weights[gate].argmax()), layout.weights.copy(), layout.threshold.copy()
    through = weights[:, gate]
    weights[gate, parent] = 0.0
    m, n = np.count_nonzero(through), np.count_nonzero(weights[:, parent])
    parent_needs_all, gate_needs_all = (_is_and(layout, area) for area in (parent, gate))
    share = 1.0 if parent_needs_all == gate_needs_all else 1 / m
    weights[:, parent] += share * through
    needed = n + m * share if parent_needs_all and gate_needs_all else n + share if parent_needs_all else 1.0
    inhibited = -np.minimum(weights[:, parent], 0.0).sum()
    threshold[parent] = needed - share / 2 - inhibited
    return replace(layout, weights=weights, threshold=threshold)


def _is_and(layout: Layout, gate: int) -> bool:
    """Whether a gate of unit weights is on only where all that excite it are on, and none that inhibit it."""
    return bool(np.isclose(layout.threshold[gate], (layout.weights[:, gate] > 0).sum() - 0.5))


def on_in(layout: Layout, lapse: np.ndarray) -> np.ndarray:
    """(pattern, area) the chance that each area of a tree is on, where areas lapse (area,).

    What an area hears is independent, given the pattern, as no two of them hear of the same area.
    """
    chance = np.zeros(layout.patterns.shape)
    for area in _from_inputs_up(layout):
        heard = np.flatnonzero(layout.weights[:, area])
        on = members(len(heard))
        each = np.where(on[None], chance[:, None, heard], 1 - chance[:, None, heard]).prod(axis=2)
        h = layout.patterns[:, area, None] + on @ layout.weights[heard, area]
        chance[:, area] = (1 - lapse[area]) * (each * (h > layout.threshold[area])).sum(axis=1)
    return chance


def _from_inputs_up(layout: Layout) -> list[int]:
    order: list[int] = []
    while len(order) < layout.n_areas:
        waiting = [i for i in range(layout.n_areas) if i not in order]
        order += [i for i in waiting if not layout.weights[waiting, i].any()]
    return order
