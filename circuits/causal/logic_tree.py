"""A random tree of AND, OR and NOT over input areas: behaviour as a Boolean formula, another one for each subject."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, ClassVar

import numpy as np

from circuits.causal.parts import Firing, Lapse, Layout, OffRate, OnRate, PartsSubject
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Share

MOST_AREAS = 16
"""Inputs, gates and copies together: what can be enumerated."""

DRAWS = 30
"""Trees from which the one is taken that answers yes and no most evenly."""


@dataclass(frozen=True)
class Node:
    """An input (no children) or a gate; one that `inverts` says NOT to its parent; one that is `twice` has a copy."""

    inputs: tuple[int, ...]
    kind: str = "input"  # or `and`, `or`
    children: tuple[Node, ...] = ()
    inverts: bool = False
    twice: bool = False

    @property
    def areas(self) -> int:
        """How many areas it takes, with all below it: a copy takes as many again, and one that needs either of them."""
        once = 1 + sum(child.areas for child in self.children)
        return 2 * once + 1 if self.twice else once

    def says(self, inputs: np.ndarray) -> np.ndarray:
        """Its value (pattern,) bool, given those of all inputs (input, pattern), before it is inverted."""
        if not self.children:
            return np.asarray(inputs[self.inputs[0]], dtype=bool)
        heard = [child.says(inputs) != child.inverts for child in self.children]
        return np.all(heard, axis=0) if self.kind == "and" else np.any(heard, axis=0)


@dataclass(frozen=True)
class LogicTree:
    """Each of `inputs` areas follows a stimulus of its own, gates are areas too, and the root is the response.

        and(k+1) = [sum_i s_i x_i(k) > P - 1/2],   or(k+1) = [sum_i s_i x_i(k) > 1/2 - N],   s_i = 1, or -1 for NOT

    P of the areas that a gate hears excite it and N inhibit it: an inhibitory area says NOT. Every pattern of inputs is
    shown, each as often, and the response that is right is that of the intact tree without lapses. Tree, gates and
    signs are drawn for each subject: of `DRAWS` trees the one that responds most nearly in half of the patterns, as no
    constant answer should do. From the root down a subtree is doubled with probability `redundancy`, as long as there
    are `MOST_AREAS` at most: two copies with inputs of their own, and an area that either of them drives.

    The truth is by enumeration of all sets of areas.
    """

    name: ClassVar[str] = "logic_tree"
    mechanism: ClassVar[str] = "hierarchical logic"
    questions: ClassVar[tuple[str, ...]] = ("necessity", "circuit", "connectivity", "intervention_response")
    modalities: ClassVar[tuple[str, ...]] = ("spikes", "connectome")

    inputs: Annotated[int, Within(2, 10)] = 5
    or_share: Share = 0.5  # of the gates; the others are AND
    not_share: Share = 0.2  # of the areas that speak to a gate: inhibitory
    redundancy: Share = 0.0  # probability that a subtree is there twice
    lapse: Lapse = 0.02
    on_rate: OnRate = 40.0
    off_rate: OffRate = 4.0

    def __post_init__(self) -> None:
        check_fields(self)

    def prior(self, rng: np.random.Generator) -> LogicTree:
        """Three to six inputs, gates, signs, copies, lapses and rates as they come."""
        return LogicTree(
            int(rng.integers(3, 7)), float(rng.uniform(0.2, 0.8)), float(rng.uniform(0, 0.4)), float(rng.uniform(0, 1)),
            float(rng.uniform(0, 0.05)), float(rng.uniform(20, 60)), float(rng.uniform(1, 8)),
        )  # fmt: skip

    def subject(self, rng: np.random.Generator) -> PartsSubject:
        """One animal, with a tree of its own."""
        layout = layout_of(self.tree(rng), self.inputs)
        return PartsSubject(self.name, layout, Firing(self.on_rate, self.off_rate, self.lapse))

    def tree(self, rng: np.random.Generator) -> Node:
        """A random one, with its copies."""
        trees = [self._grown(tuple(rng.permutation(self.inputs).tolist()), rng, fits=True) for _ in range(DRAWS)]
        inputs = every_pattern(self.inputs).T
        best = min(trees, key=lambda tree: abs(float(tree.says(inputs).mean()) - 0.5))
        return self._doubled(best, [MOST_AREAS - best.areas], rng)

    def _grown(self, inputs: tuple[int, ...], rng: np.random.Generator, *, fits: bool = False) -> Node:
        """A tree over these inputs; `fits`: of at most `MOST_AREAS`, its gates hearing of more areas where need be."""
        if len(inputs) == 1:
            return Node(inputs)
        for most in range(3, len(inputs) + 4):
            n_groups = int(rng.integers(2, min(most, len(inputs)) + 1))
            cuts = np.sort(rng.choice(np.arange(1, len(inputs)), n_groups - 1, replace=False))
            children = tuple(
                replace(self._grown(tuple(group.tolist()), rng), inverts=bool(rng.random() < self.not_share))
                for group in np.split(np.array(inputs), cuts)
            )
            tree = Node(inputs, "or" if rng.random() < self.or_share else "and", children)
            if not fits or tree.areas <= MOST_AREAS:
                return tree
        return replace(tree, children=tuple(Node((i,)) for i in inputs))

    def _doubled(self, node: Node, spare: list[int], rng: np.random.Generator, *, root: bool = True) -> Node:
        """The tree with copies of its subtrees; spare: one number, of the areas that are still to be had."""
        if not root and rng.random() < self.redundancy and node.areas + 1 <= spare[0]:
            spare[0] -= node.areas + 1
            return replace(node, twice=True)
        return replace(node, children=tuple(self._doubled(child, spare, rng, root=False) for child in node.children))


@dataclass
class _Builder:
    """Areas and links of a tree, as they are added from its inputs up."""

    threshold: dict[str, float] = field(default_factory=dict)
    links: dict[tuple[str, str], float] = field(default_factory=dict)
    follows: dict[str, int] = field(default_factory=dict)  # area -> its input

    def add(self, node: Node, copy: str = "") -> str:
        """The name of the area that says what this node does."""
        if not node.twice:
            return self._once(node, copy)
        copies = [self._once(node, copy + mark) for mark in ("'", "''")]
        return self._gate("or", "either", dict.fromkeys(copies, 1.0))

    def _once(self, node: Node, copy: str) -> str:
        if not node.children:
            name = f"input {node.inputs[0]}{copy}"
            self.threshold[name], self.follows[name] = 0.5, node.inputs[0]
            return name
        heard = {self.add(child, copy): -1.0 if child.inverts else 1.0 for child in node.children}
        return self._gate(node.kind, node.kind, heard)

    def _gate(self, kind: str, called: str, heard: Mapping[str, float]) -> str:
        name, signs = f"{called} {len(self.threshold)}", np.array(list(heard.values()))
        self.threshold[name] = (signs > 0).sum() - 0.5 if kind == "and" else 0.5 - (signs < 0).sum()
        self.links |= {(pre, name): sign for pre, sign in heard.items()}
        return name


def layout_of(tree: Node, n_inputs: int) -> Layout:
    """Areas, connections and task of a tree."""
    made = _Builder()
    root = made.add(tree)
    patterns = every_pattern(n_inputs)
    shown = [{name: float(pattern[i]) for name, i in made.follows.items()} for pattern in patterns]
    return Layout.of(made.threshold, made.links, shown, {root: tree.says(patterns.T).tolist()})


def every_pattern(n_inputs: int) -> np.ndarray:
    """(pattern, input) bool: all patterns of so many inputs."""
    return (np.arange(2**n_inputs)[:, None] >> np.arange(n_inputs)[::-1]) & 1 == 1
