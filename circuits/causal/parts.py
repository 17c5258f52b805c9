"""Subjects made of a few areas that are either on or off: what every set of them achieves is known exactly.

    h_i(k) = sum_j w_ji x_j(k) + u_i + drive_i,   x_i(k+1) = [h_i(k) > threshold_i] unless area i lapses in this trial

From `ONSET` to the trial's end a pattern u is shown, and the behaviour is what the output areas do in its last half: an
area on for most of it responds. The outcome of a trial is 1 where each output does what the pattern calls for, else 0.
Recorded is one neuron of each area, Poisson with a refractory period, at `on_rate` while its area is on and at
`off_rate` while it is off.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Annotated

import numpy as np
import xarray as xr

from simlab import truths
from simlab.coalitions import members, with_lapses
from simlab.data import activity, anatomy
from simlab.rules import Within
from simlab.session import Session, Stimulus, effects_on
from simlab.simulators.clocked import ClockedInput, ClockedNetwork, run, segments
from simlab.simulators.effects import drive_at, hold_at, permanently_silent

if TYPE_CHECKING:
    from simlab.simulators.renewal import Columns

TICK = 5e-3
"""From one area to the next [s]: a synapse and the time that an area takes to follow (cortex: 5 to 10 ms per stage,
Thorpe & Fabre-Thorpe 2001)."""

ONSET = 0.2
"""Of the stimulus, as a share of the trial."""

REFRACTORY = 2e-3
"""s."""

APART = 1e-3
"""Distance between neighbouring areas [m]: light on one does not reach the next."""

Lapse = Annotated[float, Within(0, 0.5)]
"""Probability that an area does not take part in a trial, whatever its input."""

OnRate = Annotated[float, Within(1, 200, "Hz")]
OffRate = Annotated[float, Within(0, 100, "Hz")]


@dataclass(frozen=True, eq=False)
class Layout:
    """Areas, the connections among them, and the task."""

    names: tuple[str, ...]
    weights: np.ndarray  # (pre, post)
    threshold: np.ndarray  # (area,)
    patterns: np.ndarray  # (pattern, area): what comes from outside while the pattern is shown
    outputs: tuple[int, ...]  # areas whose activity is the behaviour
    wanted: np.ndarray  # (pattern, output) bool: the behaviour that each pattern calls for
    tonic: np.ndarray | float = 0.0  # (area,): input from outside, shown anything or nothing

    @property
    def n_areas(self) -> int:
        """How many areas there are."""
        return len(self.names)

    def network(self, on_rate: float) -> ClockedNetwork:
        """The areas as threshold units that switch together."""
        return ClockedNetwork.of(self.weights, self.threshold, TICK, on_rate=on_rate)

    def given(self, pattern: np.ndarray, n_ticks: int) -> ClockedInput:
        """What comes from outside in trials with these patterns (trial,), of so many ticks."""
        onset = _onset(n_ticks)
        values = np.broadcast_to(self.tonic, (len(self.patterns), n_ticks, self.n_areas)).copy()
        values[:, onset:] += self.patterns[:, None, :]
        return ClockedInput(values, np.asarray(pattern))

    def correct(self, states: np.ndarray, pattern: np.ndarray) -> np.ndarray:
        """(trial,) bool, from the outputs' states (trial, tick, output) and the patterns (trial,)."""
        return (self.responses(states) == self.wanted[pattern]).all(axis=1)

    def responses(self, states: np.ndarray) -> np.ndarray:
        """(trial, output) bool: which outputs respond, from their states (trial, tick, output)."""
        n_ticks = states.shape[1]
        return states[:, (_onset(n_ticks) + n_ticks) // 2 :].mean(axis=1) > 0.5


def _onset(n_ticks: int) -> int:
    return int(ONSET * n_ticks)


@dataclass(frozen=True, eq=False)
class Firing:
    """How areas show: rates [Hz] of a neuron whose area is on or off, and how often an area lapses."""

    on_rate: float
    off_rate: float
    lapse: float


@dataclass(frozen=True, eq=False)
class PartsSubject:
    """An animal with this layout.

    after_loss: the layout after some areas (area,) bool have been gone for good, where the animal recovers; by default
    it does not. adapted: whether an area's role is what its loss does after recovery, not at once.
    """

    name: str
    layout: Layout
    firing: Firing
    after_loss: Callable[[np.ndarray], Layout] | None = None
    adapted: bool = False
    more: Mapping[str, Callable[[], xr.Dataset]] = field(default_factory=dict)  # further truths

    @cached_property
    def anatomy(self) -> xr.Dataset:
        """One neuron per area, each area a region of its own, in a row `APART` from one another."""
        n = self.layout.n_areas
        place = np.zeros((n, 3))
        place[:, 0] = APART * np.arange(n)
        inhibits = self.layout.weights.sum(axis=1) < 0
        return anatomy(place, ["I" if i else "E" for i in inhibits], self.layout.names)

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Every pattern as often as any other, in a random order; a feature for each area that gets input."""
        n_patterns = len(self.layout.patterns)
        pattern = rng.permutation(np.arange(trials) % n_patterns)
        lines = np.flatnonzero((self.layout.patterns != 0).any(axis=0))
        names = tuple(f"input {i}" for i in range(max(len(lines), 1)))
        shown = self.layout.patterns[pattern][:, lines] if len(lines) else np.zeros((trials, 1))
        interval = duration * ONSET
        n_steps = round(1 / ONSET)
        values = np.repeat(shown[:, None, :], n_steps, axis=1)
        values[:, 0] = np.nan
        return Session(trials, duration, Stimulus(names, values, interval), tuple(pattern.tolist()))

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """Spikes, the outputs' behaviour over time, each trial's outcome; after a loss for good, as it has become."""
        layout, seed = self.layout, int(rng.integers(2**63))
        gone = permanently_silent(session, layout.n_areas)
        if gone.any() and self.after_loss is not None:
            layout = self.after_loss(gone)
        pattern = self._patterns(session)
        lapsing = rng.random((session.trials, layout.n_areas)) < self.firing.lapse
        n_ticks = max(1, round(session.duration / TICK))
        network = layout.network(self.firing.on_rate)
        states = run(network, layout.given(pattern, n_ticks), session, seed, silenced=lapsing)
        outputs = states[:, :, list(layout.outputs)]
        return activity(
            session, layout.n_areas,
            spikes=self._spikes(states, session, rng),
            time=TICK * np.arange(n_ticks),
            behaviour=outputs.astype(float),
            outcome=layout.correct(outputs, pattern).astype(float),
        )  # fmt: skip

    def _patterns(self, session: Session) -> np.ndarray:
        if session.conditions is None:
            return np.arange(session.trials) % len(self.layout.patterns)
        return np.asarray(session.conditions) % len(self.layout.patterns)

    def _spikes(self, states: np.ndarray, session: Session, rng: np.random.Generator) -> Columns:
        """Columns of spikes at the rates that states (trial, tick, area) and effects make."""
        from simlab.simulators.renewal import apart

        rate = np.where(states, self.firing.on_rate, self.firing.off_rate)
        effects = effects_on(session, self.layout.n_areas)
        trials = np.arange(session.trials)
        for begin, end, now in segments(effects, states.shape[1], TICK) if effects else ():
            held = hold_at(effects, now, trials, self.layout.n_areas)[:, None, :]
            suppressed = drive_at(effects, now, trials, self.layout.n_areas)[:, None, :] <= -1
            here = np.where(suppressed & ~states[:, begin:end], 0.0, rate[:, begin:end])
            rate[:, begin:end] = np.where(np.isnan(held), here, held)
        trial, tick, area = np.nonzero(counts := rng.poisson(rate * TICK))
        trial, tick, area = (np.repeat(column, counts[trial, tick, area]) for column in (trial, tick, area))
        time = np.minimum(TICK * (tick + rng.random(len(tick))), session.duration - 1e-4)
        none = (np.empty(0, int), np.empty(0), np.empty(0, int))
        return apart((trial, time, area), none, REFRACTORY)

    @cached_property
    def values(self) -> np.ndarray:
        """(set,) the expected outcome with every set of areas intact and the others silenced; `simlab.coalitions`."""
        achieved = self._achieved(members(self.layout.n_areas))
        return with_lapses(achieved, self.firing.lapse)

    def _achieved(self, intact: np.ndarray) -> np.ndarray:
        """The mean outcome over patterns of sets of intact areas (set, area), without lapses."""
        if self.adapted and self.after_loss is not None:
            return np.concatenate([_outcomes(self.after_loss(~one), one[None]) for one in intact])
        return _outcomes(self.layout, intact)

    def edge_values(self) -> np.ndarray:
        """(set of edges,) the expected outcome where the connections of the set are there and the others are cut."""
        pre, post = self.edges
        kept = members(len(pre))
        weights = np.zeros((len(kept), *self.layout.weights.shape))
        weights[:, pre, post] = kept * self.layout.weights[pre, post]
        return np.array([self._with(matrix) for matrix in weights])

    def _with(self, weights: np.ndarray) -> float:
        from dataclasses import replace

        achieved = _outcomes(replace(self.layout, weights=weights), members(self.layout.n_areas))
        return float(with_lapses(achieved, self.firing.lapse)[-1])

    @property
    def edges(self) -> tuple[np.ndarray, np.ndarray]:
        """Pre and post (edge,) of the connections."""
        pre, post = np.nonzero(self.layout.weights)
        return pre, post

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`necessity`, `circuit` and `intervention_response` from the outcome of every set of areas; `connectivity`."""
        answers = {
            "necessity": lambda: truths.game(self.values),
            "circuit": self._circuit,
            "intervention_response": lambda: truths.game(self.values),
            "connectivity": lambda: truths.wiring(self.layout.weights, "1"),
            **self.more,
        }
        return truths.among(self.name, question, answers)

    def _circuit(self) -> xr.Dataset:
        pre, post = self.edges
        if not 0 < len(pre) <= MOST_EDGES or self.adapted:
            return truths.game(self.values)
        edge = {"edge_pre": ("edge", pre), "edge_post": ("edge", post), "edge_value": ("edge_set", self.edge_values())}
        return truths.game(self.values).assign(edge)


MOST_EDGES = 8
"""Connections whose sets are enumerated, each for every set of lapses."""


def _outcomes(layout: Layout, intact: np.ndarray) -> np.ndarray:
    """(set,) the share of the patterns that sets of intact areas (set, area) answer right, without lapses."""
    return right_answers(layout, intact).mean(axis=1)


def right_answers(layout: Layout, intact: np.ndarray) -> np.ndarray:
    """(set, pattern) bool: which patterns sets of intact areas (set, area) answer right, without lapses."""
    n_ticks = 8 + 4 * layout.n_areas  # long enough for any path to have had its say before the last half
    network, outputs = layout.network(0.0), list(layout.outputs)
    session = Session(len(intact), n_ticks * TICK)
    right = []
    for number in range(len(layout.patterns)):
        pattern = np.full(len(intact), number)
        states = run(network, layout.given(pattern, n_ticks), session, 0, watched=outputs, silenced=~intact)
        right.append(layout.correct(states, pattern))
    return np.stack(right, axis=1)
