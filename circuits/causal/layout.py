"""Areas that are either on or off, the connections among them and the task: what every set of them achieves.

    h_i(k) = sum_j w_ji x_j(k) + u_i + tonic_i,   x_i(k+1) = [h_i(k) > threshold_i]

From `ONSET` to the trial's end a pattern u is shown, and the behaviour is what the output areas do in its last half: an
area on for most of it responds. A trial is right where each output does what its pattern calls for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from simlab.rules import require
from simlab.session import Session
from simlab.simulators.clocked import ClockedInput, ClockedNetwork, run

TICK = 5e-3
"""From one area to the next [s]: a synapse and the time that an area takes to follow (cortex: 5 to 10 ms per stage,
Thorpe & Fabre-Thorpe 2001)."""

ONSET = 0.2
"""Of the stimulus, as a share of the trial."""


@dataclass(frozen=True, eq=False)
class Layout:
    """Areas, the connections among them, and the task.

    hidden: so many areas, the last ones, are outside the anatomy: no instrument sees them and nothing can be aimed at
    them, though they take part in the behaviour.
    """

    names: tuple[str, ...]
    weights: np.ndarray  # (pre, post)
    threshold: np.ndarray  # (area,)
    patterns: np.ndarray  # (pattern, area): what comes from outside while the pattern is shown
    outputs: tuple[int, ...]  # areas whose activity is the behaviour
    wanted: np.ndarray  # (pattern, output) bool: the behaviour that each pattern calls for
    tonic: np.ndarray | float = 0.0  # (area,): input from outside, shown anything or nothing
    hidden: int = 0

    @classmethod
    def of(
        cls,
        threshold: Mapping[str, float],
        links: Mapping[tuple[str, str], float],
        patterns: Sequence[Mapping[str, float]],
        wanted: Mapping[str, Sequence[bool]],
        *,
        tonic: Mapping[str, float] | None = None,
        hidden: int = 0,
    ) -> Layout:
        """A layout by the names of areas: thresholds, weights, input shown and tonic, and of each output the responses.

        wanted: area -> the response that each pattern calls for.
        """
        names = tuple(threshold)
        place = {name: i for i, name in enumerate(names)}
        weights = np.zeros((len(names), len(names)))
        for (pre, post), weight in links.items():
            weights[place[pre], place[post]] = weight

        def row(values: Mapping[str, float]) -> np.ndarray:
            return np.array([values.get(name, 0.0) for name in names])

        return cls(
            names, weights, np.array(list(threshold.values()), dtype=float), np.stack([row(p) for p in patterns]),
            tuple(place[name] for name in wanted), np.array(list(wanted.values()), dtype=bool).T,
            row(tonic or {}), hidden,
        )  # fmt: skip

    @property
    def n_areas(self) -> int:
        """How many areas there are, hidden ones too."""
        return len(self.names)

    @property
    def n_seen(self) -> int:
        """How many areas an experimenter can see and aim at: the first ones."""
        return self.n_areas - self.hidden

    @property
    def index(self) -> Mapping[str, int]:
        """Which area has which name."""
        return {name: i for i, name in enumerate(self.names)}

    @cached_property
    def features(self) -> np.ndarray:
        """(pattern, feature): what an experimenter shows, however many areas get it; zeros where there is nothing."""
        columns = self.patterns[:, (self.patterns != 0).any(axis=0)]
        if not columns.shape[1]:
            return np.zeros((len(self.patterns), 1))
        return np.unique(columns, axis=1)  # in an order of their own: the same in all animals with this task

    def network(self, on_rate: float) -> ClockedNetwork:
        """The areas as threshold units that switch together."""
        return ClockedNetwork.of(self.weights, self.threshold, TICK, on_rate=on_rate)

    def given(self, pattern: np.ndarray, n_ticks: int, blank: np.ndarray | bool = False) -> ClockedInput:
        """What comes from outside in trials with these patterns (trial,), of so many ticks; nothing in `blank` ones."""
        shown = np.vstack([self.patterns, np.zeros(self.n_areas)])
        values = np.broadcast_to(self.tonic, (len(shown), n_ticks, self.n_areas)).copy()
        values[:, _onset(n_ticks) :] += shown[:, None, :]
        return ClockedInput(values, np.where(blank, len(self.patterns), pattern))

    def correct(self, states: np.ndarray, pattern: np.ndarray) -> np.ndarray:
        """(trial,) bool, from the outputs' states (trial, tick, output) and the patterns (trial,)."""
        return (self.responses(states) == self.wanted[pattern]).all(axis=1)

    def responses(self, states: np.ndarray) -> np.ndarray:
        """(trial, output) bool: which outputs respond, from their states (trial, tick, output)."""
        n_ticks = states.shape[1]
        return states[:, (_onset(n_ticks) + n_ticks) // 2 :].mean(axis=1) > 0.5

    def patterns_of(self, session: Session) -> np.ndarray:
        """(trial,) which pattern each trial of a session shows, by its stimulus and its conditions; else by turns.

        A trial that shows nothing (NaN, see `blank`) has the pattern of its condition: that is what is called for.
        Raises SimlabError for a stimulus that is none of the task's, and where stimulus and conditions disagree.
        """
        n, said = len(self.patterns), session.conditions
        pattern = np.arange(session.trials) % n if said is None else np.asarray(said)
        outside = pattern[(pattern < 0) | (pattern >= n)]
        require(not len(outside), f"this task has conditions 0..{n - 1}, got {outside[:3].tolist()}: show one of them")
        if session.stimulus is None:
            return pattern
        shown = session.stimulus.values[:, -1]
        rule = f"this task shows {self.features.shape[1]} features"
        require(shown.shape[1] == self.features.shape[1], f"{rule}, got {shown.shape[1]}: change those of rig.session")
        same = (shown[:, None, :] == self.features).all(axis=2)
        nothing = blank(session)
        same[nothing] = True
        odd = shown[~same.any(axis=1)]
        require(not len(odd), f"{rule} in the patterns of its conditions, got {odd[:1].tolist()}: show one of them")
        if said is None:
            return np.where(nothing, pattern, same.argmax(axis=1))
        apart = np.flatnonzero(~same[np.arange(session.trials), pattern])
        require(not len(apart), f"a trial's stimulus and condition must agree, got other ones in {apart[:3].tolist()}")
        return pattern


def blank(session: Session) -> np.ndarray:
    """(trial,) bool: trials in which the stimulus is withheld, all of it."""
    if session.stimulus is None:
        return np.zeros(session.trials, dtype=bool)
    return np.asarray(np.isnan(session.stimulus.values).all(axis=(1, 2)))


def _onset(n_ticks: int) -> int:
    return int(ONSET * n_ticks)


def achieved(layout: Layout, intact: np.ndarray) -> np.ndarray:
    """(set,) the share of the patterns that sets of intact areas (set, area) answer right, without lapses."""
    return right_answers(layout, intact).mean(axis=1)


def right_answers(layout: Layout, intact: np.ndarray) -> np.ndarray:
    """(set, pattern) bool: which patterns sets of intact areas (set, area) answer right, without lapses.

    Where no area reaches itself, areas settle one after another; else they are simulated.
    """
    order = in_order(layout.weights)
    return _simulated(layout, intact) if order is None else _settled(layout, intact, order)


def in_order(weights: np.ndarray) -> list[int] | None:
    """Areas such that each comes after those that it hears of; None where there is a loop."""
    waiting, order = set(range(len(weights))), []
    while waiting:
        ready = [i for i in waiting if not any(weights[j, i] for j in waiting)]
        if not ready:
            return None
        order += ready
        waiting -= set(ready)
    return order


def _settled(layout: Layout, intact: np.ndarray, order: list[int]) -> np.ndarray:
    mine = np.ascontiguousarray(np.asarray(intact, dtype=bool).T)
    outside = layout.patterns + layout.tonic
    right = np.empty((mine.shape[1], len(layout.patterns)), dtype=bool)
    for number, (given, wanted) in enumerate(zip(outside, layout.wanted, strict=True)):
        state = np.zeros_like(mine)
        for area in order:
            heard = np.flatnonzero(layout.weights[:, area])
            h = sum((layout.weights[j, area] * state[j] for j in heard), start=np.float64(given[area]))
            state[area] = mine[area] & (h > layout.threshold[area])
        right[:, number] = (state[list(layout.outputs)] == wanted[:, None]).all(axis=0)
    return right


def _simulated(layout: Layout, intact: np.ndarray) -> np.ndarray:
    n_ticks = 8 + 4 * layout.n_areas  # long enough for any path to have had its say before the last half
    network, outputs = layout.network(0.0), list(layout.outputs)
    session = Session(len(intact), n_ticks * TICK)
    right = np.empty((len(intact), len(layout.patterns)), dtype=bool)
    for number in range(len(layout.patterns)):
        pattern = np.full(len(intact), number)
        states = run(network, layout.given(pattern, n_ticks), session, 0, watched=outputs, silenced=~intact)
        right[:, number] = layout.correct(states, pattern)
    return right


def with_weights(layout: Layout, weights: np.ndarray) -> Layout:
    """The same areas and task with other connections (pre, post)."""
    return replace(layout, weights=weights)
