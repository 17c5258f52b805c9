"""Subjects made of a few areas that are either on or off: what every set of them achieves is known exactly.

    h_i(k) = sum_j w_ji x_j(k) + u_i + drive_i,   x_i(k+1) = [h_i(k) > threshold_i] unless area i lapses in this trial

`circuits.causal.layout` says what is shown and what counts as behaviour: `outcome` is 1 in a trial that is right, else
0. Recorded is one neuron of each area, Poisson with a refractory period, at `on_rate` while its area is on and at
`off_rate` while it is off; areas that are hidden take part unrecorded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Annotated

import numba
import numpy as np
import xarray as xr

from circuits.causal.cut_edges import can_be_cut, with_edges_cut
from circuits.causal.layout import ONSET, TICK, Layout, achieved, blank
from simlab import truths
from simlab.coalitions import members, subgame, with_lapses
from simlab.data import activity, anatomy
from simlab.rules import Within
from simlab.session import EFFECTS, Effect, Session, Stimulus, effects_on
from simlab.simulators.clocked import run, segments
from simlab.simulators.effects import check_holds, drive_at, hold_at, permanently_silent

if TYPE_CHECKING:
    from simlab.simulators.renewal import Columns

__all__ = ["APART", "TICK", "Firing", "Lapse", "Layout", "OffRate", "OnRate", "PartsSubject"]

REFRACTORY = 2e-3
"""s."""

APART = 1e-3
"""Distance between neighbouring areas [m]: light on one does not reach the next."""

Lapse = Annotated[float, Within(0, 0.5)]
"""Probability that an area does not take part in a trial, whatever its input."""

OnRate = Annotated[float, Within(1, 200, "Hz")]
OffRate = Annotated[float, Within(0, 100, "Hz")]


@dataclass(frozen=True, eq=False)
class Firing:
    """How areas show: rates [Hz] of a neuron whose area is on or off, and how often an area lapses, one or (area,)."""

    on_rate: float
    off_rate: float
    lapse: float | np.ndarray


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
        """One neuron per area that is not hidden, each area a region of its own, in a row `APART` from one another."""
        n = self.layout.n_seen
        place = np.zeros((n, 3))
        place[:, 0] = APART * np.arange(n)
        inhibits = self.layout.weights[:n].sum(axis=1) < 0
        contacts = (self._wiring() != 0).astype(int)
        return anatomy(place, ["I" if i else "E" for i in inhibits], self.layout.names[:n], contacts)

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Every pattern as often as any other, in a random order; what is shown, by its features."""
        n_patterns = len(self.layout.patterns)
        rest = rng.choice(n_patterns, trials % n_patterns, replace=False)
        pattern = rng.permutation(np.concatenate([np.repeat(np.arange(n_patterns), trials // n_patterns), rest]))
        shown = self.layout.features[pattern]
        values = np.repeat(shown[:, None, :], round(1 / ONSET), axis=1)
        values[:, 0] = np.nan
        names = tuple(f"input {i}" for i in range(shown.shape[1]))
        return Session(trials, duration, Stimulus(names, values, duration * ONSET), tuple(pattern.tolist()))

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """Spikes, the outputs' behaviour over time, each trial's outcome; after a loss for good, as it has become."""
        layout, seed = self._as_it_is(session), int(rng.integers(2**63))
        pattern = layout.patterns_of(session)
        check_holds(effects_on(session, layout.n_seen), REFRACTORY)
        lapsing = rng.random((session.trials, layout.n_areas)) < self.firing.lapse
        n_ticks = max(1, round(session.duration / TICK))
        reaching = _with_hidden(session, layout.hidden)
        network = layout.network(self.firing.on_rate)
        states = run(network, layout.given(pattern, n_ticks, blank(session)), reaching, seed, silenced=lapsing)
        outputs = states[:, :, list(layout.outputs)]
        return activity(
            session, layout.n_seen,
            spikes=self._spikes(states[:, :, : layout.n_seen], session, rng),
            time=TICK * np.arange(n_ticks),
            behaviour=outputs.astype(float),
            outcome=layout.correct(outputs, pattern).astype(float),
        ).assign_attrs(engine=f"numpy {np.__version__}, numba {numba.__version__} (clocked)")  # fmt: skip

    def _as_it_is(self, session: Session) -> Layout:
        gone = np.pad(permanently_silent(session, self.layout.n_seen), (0, self.layout.hidden))
        return self.after_loss(gone) if gone.any() and self.after_loss is not None else self.layout

    def _spikes(self, states: np.ndarray, session: Session, rng: np.random.Generator) -> Columns:
        """Columns of spikes at the rates that states (trial, tick, area) and effects make."""
        from simlab.simulators.renewal import refractory_poisson

        rate = np.where(states, self.firing.on_rate, self.firing.off_rate)
        n_areas = states.shape[2]
        effects = effects_on(session, n_areas)
        trials = np.arange(session.trials)
        for begin, end, now in segments(effects, states.shape[1], TICK) if effects else ():
            held = hold_at(effects, now, trials, n_areas)[:, None, :]
            suppressed = drive_at(effects, now, trials, n_areas)[:, None, :] <= -1
            here = np.where(suppressed & ~states[:, begin:end], 0.0, rate[:, begin:end])
            rate[:, begin:end] = np.where(np.isnan(held), here, held)
        changed = np.flatnonzero((np.diff(rate, axis=1) != 0).any(axis=(0, 2))) + 1
        edges = np.concatenate([[0.0], TICK * changed, [session.duration]])
        return refractory_poisson((rate[:, tick] for tick in (0, *changed)), edges, REFRACTORY, rng)

    @cached_property
    def values(self) -> np.ndarray:
        """(set,) the expected outcome with every set of areas intact and the others silenced; `simlab.coalitions`.

        Hidden areas are always intact. Where roles are `adapted`, the others are gone for good.
        """
        if self.adapted and self.after_loss is not None:
            return self._seen(self._adapted(self.after_loss))
        return self._seen(self._table(self.layout))

    def _table(self, layout: Layout) -> np.ndarray:
        """Of every set of areas, hidden ones too, with what lapses."""
        return with_lapses(achieved(layout, members(layout.n_areas)), self.firing.lapse)

    def _adapted(self, after_loss: Callable[[np.ndarray], Layout]) -> np.ndarray:
        """Each set's entry in the table of what the animal has become without the others."""
        tables: dict[bytes, np.ndarray] = {}
        result = np.empty(2**self.layout.n_areas)
        for number, intact in enumerate(members(self.layout.n_areas)):
            layout = self.layout if intact.all() else after_loss(~intact)
            made = b"".join(np.asarray(part).tobytes() for part in (layout.weights, layout.threshold, layout.tonic))
            if made not in tables:
                tables[made] = self._table(layout)
            result[number] = tables[made][number]
        return result

    def _seen(self, table: np.ndarray) -> np.ndarray:
        return subgame(table, np.arange(self.layout.n_seen)) if self.layout.hidden else table

    def edge_values(self) -> np.ndarray:
        """(set of edges,) the expected outcome where the connections of the set are there and the others are cut."""
        return with_edges_cut(self.layout, self.firing.lapse, *self.edges)

    @property
    def edges(self) -> tuple[np.ndarray, np.ndarray]:
        """Pre and post (edge,) of the connections among areas that are not hidden."""
        pre, post = np.nonzero(self._wiring())
        return pre, post

    def _wiring(self) -> np.ndarray:
        return self.layout.weights[: self.layout.n_seen, : self.layout.n_seen]

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`necessity`, `circuit` and `intervention_response` from the outcome of every set of areas; `connectivity`."""
        answers = {
            "necessity": lambda: truths.game(self.values),
            "circuit": self._circuit,
            "intervention_response": lambda: truths.game(self.values),
            "connectivity": lambda: truths.wiring(self._wiring(), "1"),
            **self.more,
        }
        return truths.among(self.name, question, answers)

    def _circuit(self) -> xr.Dataset:
        pre, post = self.edges
        if self.adapted or not can_be_cut(self.layout, pre, post):
            return truths.game(self.values)
        edge = {"edge_pre": ("edge", pre), "edge_post": ("edge", post), "edge_value": ("edge_set", self.edge_values())}
        return truths.game(self.values).assign(edge)


def _with_hidden(session: Session, hidden: int) -> Session:
    """The session as it reaches all areas: its effects leave the hidden ones alone."""

    def reaching(effect: Effect) -> Effect:
        more = [(0, 0)] * (effect.values.ndim - (2 if effect.over == "pair" else 1))
        more += [(0, hidden)] * (2 if effect.over == "pair" else 1)
        return replace(effect, values=np.pad(effect.values, more, constant_values=EFFECTS[effect.kind]))

    effects = session.perturbations
    return replace(session, perturbations=tuple(reaching(e) for e in effects if isinstance(e, Effect)))
