"""Brief volleys of spikes over a steady background: what ripples and their rivals have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
import xarray as xr

from simlab import truths
from simlab.data import activity, anatomy
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Count
from simlab.session import Session
from simlab.streams import stream

BIN = 0.05
"""s, in which background rates follow effects."""

DEAD_TIME = 2e-3
"""s: fast-spiking interneurons reach 500 Hz within a ripple (Csicsvari et al. 1999), and no more."""

WIDTH = 4.0
"""Standard deviations of the envelope that count as the length of an event."""

APART, ACROSS = 200e-6, 40e-6
"""m, between recording sites along the pyramidal layer, and across what one of them hears."""

MINUTE = 60.0

Spread = Annotated[float, Within(0, 2)]
"""Standard deviation of a logarithm."""


@dataclass(frozen=True)
class Volleys:
    """How often, how large, how long; and what neurons do in between."""

    name: ClassVar[str] = "volleys"

    n_sites: Annotated[int, Within(1, 100)] = 4  # recording sites along the layer, a region each
    n_pyramidal: Count = 40  # of each site
    n_interneurons: Count = 8
    rate: Annotated[float, Within(0, 5, "Hz")] = 0.4  # of events (Buzsaki 2015: .1 to 2 at rest)
    pause: Annotated[float, Within(0, 10, "s")] = 0.15  # s, between the centres of two events at least
    length: Annotated[float, Within(0.01, 1, "s")] = 0.06  # s, median (Buzsaki 2015: 30 to 100 ms)
    length_spread: Spread = 0.3
    amplitude_spread: Spread = 0.5  # Buzsaki & Mizuseki 2014: ripples' power is lognormal
    pyramidal_rate: Annotated[float, Within(0, 50, "Hz")] = 0.6  # background, geometric mean
    interneuron_rate: Annotated[float, Within(0, 200, "Hz")] = 12.0
    rate_spread: Spread = 0.8  # of either's rates (Mizuseki & Buzsaki 2013, Cell Rep 4:1010: lognormal)
    pyramidal_spikes: Annotated[float, Within(0, 10)] = 0.3
    """In an average event, geometric mean over cells: a tenth to a third of them take part (Csicsvari et al. 1999)."""
    interneuron_spikes: Annotated[float, Within(0, 50)] = 4.0  # of some ten cycles
    sweep: Annotated[float, Within(0, 2)] = 0.5
    """Share of an event's length over which the places of a track are replayed, one after the other."""

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            self.rate * self.pause < 1,
            f"rate x pause must be < 1, got {self.rate} Hz x {self.pause} s: events would need more time than there is",
        )

    @property
    def kinds(self) -> np.ndarray:
        """(neuron,) E or I, site by site."""
        return np.tile(np.repeat(["E", "I"], [self.n_pyramidal, self.n_interneurons]), self.n_sites)


@dataclass(frozen=True, eq=False)
class Drawn:
    """The events of a session, in order: one entry each."""

    trial: np.ndarray
    time: np.ndarray  # s, of the centre
    amplitude: np.ndarray
    length: np.ndarray  # s
    direction: np.ndarray  # 1: forward, -1: backward


@dataclass(frozen=True, eq=False)
class VolleySubject:
    """background (neuron,) [Hz]; spikes (neuron,) in an average event; place (neuron,) on the track, 0 to 1."""

    circuit: Any  # a Ripples or a PopulationBursts: its `frequencies` and `depth` say what rhythm an event has
    volleys: Volleys
    background: np.ndarray
    spikes: np.ndarray
    place: np.ndarray
    anatomy: xr.Dataset

    @classmethod
    def drawn(cls, circuit: Any, volleys: Volleys, rng: np.random.Generator) -> VolleySubject:
        """One individual."""
        kinds = volleys.kinds
        pyramidal, n = kinds == "E", len(kinds)
        spread = np.exp(volleys.rate_spread * rng.standard_normal(n))
        background = np.where(pyramidal, volleys.pyramidal_rate, volleys.interneuron_rate) * spread
        part = np.exp(volleys.rate_spread * rng.standard_normal(n))
        spikes = np.where(pyramidal, volleys.pyramidal_spikes, volleys.interneuron_spikes) * part
        site = np.repeat(np.arange(volleys.n_sites), n // volleys.n_sites)
        at = rng.uniform(0, ACROSS, (n, 3))
        at[:, 0] += APART * site
        place = np.where(pyramidal, rng.random(n), 0.5)
        where = anatomy(at, kinds.tolist(), [f"site {k}" for k in site])
        return cls(circuit, volleys, background, spikes, place, where)

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Rest: nothing is shown and nothing is done."""
        return Session(trials, duration)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """Spikes; `attrs["events"]` keeps the stream from which the events come again, for the truth."""
        from simlab.simulators import given_rates
        from simlab.simulators.renewal import apart

        seed = int(rng.integers(2**62))
        bins = int(np.ceil(session.duration / BIN))
        rates = np.broadcast_to(self.background, (session.trials, bins, len(self.place)))
        calm = given_rates.spikes(session, rates, BIN, rng, dead_time=DEAD_TIME)
        more = self._free(session, self._volleys(self.events(session.trials, session.duration, seed), session, rng))
        found = activity(session, len(self.place), spikes=apart(calm, more, DEAD_TIME))
        return found.assign_attrs(engine=f"numpy {np.__version__}", events=seed)

    def events(self, trials: int, duration: float, seed: int) -> Drawn:
        """The events of a session's trials [s] that this stream holds."""
        rng, of = stream(seed, "events"), self.volleys
        most = int(2 * of.rate * duration + 20)
        wait = of.pause + rng.exponential(max(1 / of.rate - of.pause, 0) if of.rate else np.inf, (trials, most))
        wait[:, 0] = wait[:, 0] * rng.random(trials)
        centre = np.cumsum(wait, axis=1)
        trial, k = np.nonzero(centre < duration)
        n = len(trial)
        amplitude = np.exp(of.amplitude_spread * rng.standard_normal(n) - of.amplitude_spread**2 / 2)
        length = of.length * np.exp(of.length_spread * rng.standard_normal(n))
        return Drawn(trial, centre[trial, k], amplitude, length, rng.choice([-1, 1], n))

    def _volleys(
        self, events: Drawn, session: Session, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Spike columns of all events: candidates under the envelope, thinned by the rhythm."""
        frequency, depth = self.circuit.frequencies(rng, len(events.time)), self.circuit.depth
        counts = rng.poisson((1 + depth) * events.amplitude[:, None] * self.spikes)
        event, neuron = (np.repeat(index, counts.ravel()) for index in np.indices(counts.shape).reshape(2, -1))
        lag = self.volleys.sweep * (self.place[neuron] - 0.5) * events.direction[event] * events.length[event]
        from_centre = lag + events.length[event] / WIDTH * rng.standard_normal(len(event))
        phase = np.cos(2 * np.pi * frequency[event] * from_centre)
        time = events.time[event] + from_centre
        kept = (rng.random(len(event)) * (1 + depth) < 1 + depth * phase) & (time >= 0) & (time < session.duration)
        return events.trial[event[kept]], time[kept], neuron[kept]

    def _free(
        self, session: Session, columns: tuple[np.ndarray, np.ndarray, np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The spikes of neurons that nothing holds at the time."""
        from simlab.simulators.effects import engine_effects, hold_at

        effects = engine_effects(session, len(self.place), BIN * 1e-3)
        if not any(effect.kind == "hold" for effect in effects):
            return columns
        trial, time, neuron = columns
        every, middles = np.arange(session.trials), (np.arange(int(np.ceil(session.duration / BIN))) + 0.5) * BIN
        held = np.stack([np.isfinite(hold_at(effects, t, every, len(self.place))) for t in middles])
        free = ~held[(time / BIN).astype(int), trial, neuron]
        return trial[free], time[free], neuron[free]

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`events` of the activity: each ripple's centre, none without a rhythm; `connectivity`: no synapse at all."""
        answers = {
            "events": lambda: self._happened(activity),
            "connectivity": lambda: truths.no_wiring(len(self.place)),
        }
        return truths.among(self.circuit.name, question, answers)

    def _happened(self, activity: xr.Dataset | None) -> xr.Dataset:
        if activity is None or "events" not in activity.attrs:
            raise LookupError(f"the events of {self.circuit.name} are of an activity that it ran, got none: run one")
        trials, duration = activity.sizes["trial"], float(activity.attrs["duration"])
        events = self.events(trials, duration, int(activity.attrs["events"]))
        shown = slice(None) if self.circuit.depth > 0 else slice(0)
        return truths.happened(
            events.trial[shown], events.time[shown], trials * duration / MINUTE, content=events.direction[shown]
        )
