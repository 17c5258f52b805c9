"""What populations with given latents have in common: neurons without synapses that follow the rates they are given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
import xarray as xr

from simlab import truths
from simlab.data import activity, anatomy
from simlab.session import Session

Model = Literal["spiking", "rate"]
"""spiking: Poisson spikes but for a dead time. rate: the rates themselves, without any noise of counting."""

TISSUE = 300e-6
"""Edge [m] of the cube in which the neurons lie at random."""

DRIVE_RATE = 20.0
"""Hz that a rheobase of current adds to a rate (as `simlab.simulators.given_rates`)."""


class Course(NamedTuple):
    """What happens in a session: `latent` (trial, bin, factor) and `rate` (trial, bin, neuron) [Hz]."""

    latent: np.ndarray
    rate: np.ndarray


class LatentCircuit(Protocol):
    """A circuit whose subjects are `Population`s: it says what rates do, and how many dimensions that has."""

    name: Any
    n_neurons: Any
    step: Any
    model: Any

    def course(self, individual: Mapping[str, np.ndarray], session: Session, rng: np.random.Generator) -> Course: ...
    def dimensions(self) -> dict[str, int]: ...


class LikeItsTwin:
    """Size, step and readout of a circuit that has those of another one, `like`."""

    like: Any

    @property
    def n_neurons(self) -> int:
        """As many as `like` has."""
        return int(self.like.n_neurons)

    @property
    def step(self) -> float:
        """s in which rates are constant."""
        return float(self.like.step)

    @property
    def model(self) -> Model:
        """`spiking` or `rate`, as in `like`."""
        found: Model = self.like.model
        return found

    @property
    def modalities(self) -> tuple[str, ...]:
        """What its activity holds."""
        found: tuple[str, ...] = self.like.modalities
        return found


@dataclass(frozen=True, eq=False)
class Population:
    """One individual: `parts`, its neurons' own parameters by name, (neuron, ...) each."""

    circuit: Any  # a LatentCircuit
    parts: Mapping[str, np.ndarray]
    anatomy: xr.Dataset

    @classmethod
    def placed(cls, circuit: Any, parts: Mapping[str, np.ndarray], rng: np.random.Generator) -> Population:
        """Neurons anywhere in the tissue: their places tell nothing of what they do."""
        place = rng.uniform(0, TISSUE, (circuit.n_neurons, 3))
        return cls(circuit, parts, anatomy(place, ["E"] * circuit.n_neurons))

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Spontaneous activity, or what the circuit's own `task` says."""
        task = getattr(self.circuit, "task", None)
        return Session(trials, duration) if task is None else task(trials, duration, rng)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with spikes, or `rate` [Hz] at the middles of the bins, and with `latent` beside it."""
        from simlab.simulators.given_rates import spikes, under_effects

        circuit, step = self.circuit, self.circuit.step
        latent, rate = circuit.course(self.parts, session, rng)
        time = middles(session.duration, step)
        common: dict[str, Any] = {"time": time, "latent": latent if latent.shape[2] else None}
        if circuit.model == "rate":
            seen = activity(session, circuit.n_neurons, rate=under_effects(session, rate, step, DRIVE_RATE), **common)
        else:
            fired = spikes(session, rate, step, rng, drive_rate=DRIVE_RATE)
            seen = activity(session, circuit.n_neurons, spikes=fired, **common)
        return seen.assign_attrs(engine=f"numpy {np.__version__}")

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`dimensionality`, `latents`, `connectivity` (none), `topology` where the circuit has `betti`, and
        `features`, `similarity` of two populations and `shared_mechanism` where the individual has them."""
        answers = {
            "dimensionality": lambda: truths.one(**self.circuit.dimensions()),
            "latents": lambda: self._latents(activity),
            "connectivity": lambda: truths.no_wiring(self.circuit.n_neurons),
        }
        if "features" in self.parts:
            answers["features"] = lambda: truths.dictionary(self.parts["features"])
        if "population" in self.parts:
            answers["similarity"] = lambda: self._similarity(activity)
        if "poles" in self.parts:
            answers["shared_mechanism"] = lambda: truths.flows(self.parts["poles"])
        if hasattr(self.circuit, "betti"):
            answers["topology"] = lambda: truths.shape(self.circuit.betti())
        return truths.among(self.circuit.name, question, answers)

    def _similarity(self, activity: xr.Dataset | None) -> xr.Dataset:
        """By the individual's own readout, or the circuit's, which may depend on the length of a trial."""
        readout = self.parts.get("readout")
        if readout is None:
            if activity is None:
                raise LookupError(f"{self.circuit.name} tells similarity in a session that was run, got no activity")
            readout = self.circuit.readout(self.parts, float(activity.attrs["duration"]))
        return truths.readouts(readout, self.parts["population"])

    def _latents(self, activity: xr.Dataset | None) -> xr.Dataset:
        """Those that ran; without a factor where neurons share none."""
        if activity is None:
            raise LookupError(f"{self.circuit.name} tells latents of a session that was run, got no activity")
        if "latent" not in activity:
            time = middles(activity.attrs["duration"], self.circuit.step)
            return truths.latents(np.zeros((activity.sizes["trial"], len(time), 0)), time)
        told = truths.latents(activity["latent"].values, activity["time"].values)
        return told.assign(condition=("trial", activity["condition"].values)) if "condition" in activity else told


REGIONS = ("one", "other")
"""Names of two populations' regions; methods meet them as numbers in no order."""


def halves(n_neurons: int) -> np.ndarray:
    """(neuron,) 0 or 1: the population of each of so many, half of them, rounded up, in the first."""
    return np.arange(n_neurons) * 2 // n_neurons


def side_by_side(population: np.ndarray, rng: np.random.Generator) -> xr.Dataset:
    """An anatomy of two populations (neuron,), each anywhere in a region of its own."""
    place = rng.uniform(0, TISSUE, (len(population), 3))
    place[:, 0] = (place[:, 0] + TISSUE * population) / 2
    return anatomy(place, ["E"] * len(place), [REGIONS[p] for p in population])


def n_bins(duration: float, step: float) -> int:
    """Bins of `step` [s] that cover a trial."""
    return int(np.ceil(duration / step - 1e-9))


def middles(duration: float, step: float) -> np.ndarray:
    """(bin,) [s]: the middle of each bin, and of what there is of a last one."""
    edges = np.minimum(np.arange(n_bins(duration, step) + 1) * step, duration)
    return (edges[:-1] + edges[1:]) / 2


def log_normal_rates(n_neurons: int, median: float, spread: float, rng: np.random.Generator) -> np.ndarray:
    """(neuron,) [Hz]: mean rates of cortical neurons are about log-normal (Buzsaki & Mizuseki 2014)."""
    return median * rng.lognormal(0.0, spread, n_neurons)
