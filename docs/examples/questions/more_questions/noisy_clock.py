"""A circuit that knows the answers to all six questions, and its rival: a clock that runs, and one that stands."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import xarray as xr

from simlab import truths
from simlab.data import activity, anatomy
from simlab.session import Session, Stimulus
from simlab.simulators.effects import drive_at, engine_effects, hold_at

STEP = 0.05
"""Width [s] of a step of time: a frame of the stimulus, and the time within which rates are constant."""
LAGS = np.arange(4) * STEP  # s
KERNELS = np.array([[0.2, 1.0, 0.6, 0.1], [0.8, 0.3, -0.6, -0.3]])
"""(kernel, lag): a smoothing and a differentiating one; every receptive field is a mixture of the two."""


@dataclass(frozen=True)
class NoisyClock:
    """Poisson neurons that follow the phase of a noisy clock and a flickering light.

        phase(t + STEP) = phase(t) + 2 pi frequency STEP + diffusion sqrt(STEP) xi(t),   xi ~ N(0, 1)
        x = (cos phase, sin phase, light * kernel 1, light * kernel 2)
        rate_i = base_i [1 + A_i x + drive_i]+            spikes ~ Poisson(rate_i STEP) in each step
        behaviour = sum_i w_i (spikes of i) / STEP,       w_i = importance_i / base_i

    Loadings A are so small that rates never reach 0 unless a neuron is driven there: rates are linear in x, and mean
    rates are base rates. A drive of 1 rheobase adds one base rate. There is no synapse whose gain could change.
    """

    name: ClassVar[str] = "noisy_clock"
    mechanism: ClassVar[str] = "oscillator"
    questions: ClassVar[tuple[str, ...]] = (
        "clock_latents", "clock_filter", "clock_type", "clock_dynamics", "clock_dimensionality", "clock_importance",
    )  # fmt: skip

    n_neurons: int = 40
    n_readers: int = 4  # neurons that the behaviour is read from
    frequency: float = 1.0  # Hz
    diffusion: float = 0.7  # rad / sqrt(s)
    rate_e: float = 15.0  # Hz
    rate_i: float = 45.0  # Hz, of the fifth of the neurons that are inhibitory

    def subject(self, rng: np.random.Generator) -> ClockSubject:
        """Its loadings, cell types, places and readers."""
        types = np.where(rng.permutation(self.n_neurons) < self.n_neurons / 5, "I", "E")
        angle, mixture = rng.uniform(0, 2 * np.pi, (2, self.n_neurons))
        # the kernels' absolute sums are 1.9 and 2.0, so that |A x| <= 0.45 + 0.25 x 2.8 / sqrt(2) < 1
        phase, light = (a * np.array([np.cos(b), np.sin(b)]).T for a, b in ((0.45, angle), (0.18, mixture)))
        importance = np.zeros(self.n_neurons)
        importance[rng.permutation(self.n_neurons)[: self.n_readers]] = np.linspace(1.0, 0.6, self.n_readers)
        place = rng.uniform(0, 3e-4, (self.n_neurons, 3))
        return ClockSubject(self, np.hstack([phase, light]), importance, anatomy(place, types.tolist()))


@dataclass(frozen=True)
class StoppedClock(NoisyClock):
    """The same neurons, whose phase only drifts: as in a ring attractor, it is kept but does not turn by itself."""

    name: ClassVar[str] = "stopped_clock"
    mechanism: ClassVar[str] = "drifting memory"
    twin_of: ClassVar[tuple[str, ...]] = ("noisy_clock",)

    frequency: float = 0.0  # Hz

    def imitating(self, circuit: NoisyClock) -> StoppedClock:
        """A copy with this clock's neurons and noise."""
        like = {name: getattr(circuit, name) for name in ("n_neurons", "n_readers", "diffusion", "rate_e", "rate_i")}
        return replace(self, **like)


@dataclass(frozen=True, eq=False)
class ClockSubject:
    """One population: its loadings A (neuron, factor), and the importance (neuron,) of each for the behaviour."""

    circuit: NoisyClock
    loadings: np.ndarray
    importance: np.ndarray
    anatomy: xr.Dataset

    @property
    def base(self) -> np.ndarray:
        """(neuron,) [Hz]."""
        return np.where(self.anatomy["cell_type"].values == "I", self.circuit.rate_i, self.circuit.rate_e)

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """A light that is on (+1) or off (-1) in each step, at random."""
        n_steps = max(1, int(np.ceil(duration / STEP - 1e-9)))
        return Session(trials, duration, Stimulus(("light",), rng.choice([-1.0, 1.0], (trials, n_steps, 1)), STEP))

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """Spikes and behaviour; beside them, as a coordinate that no instrument records, the `phase` (trial, time)."""
        time = np.arange(0, session.duration - 1e-9, STEP)
        shape = (session.trials, len(time))
        turned = 2 * np.pi * self.circuit.frequency * time
        noise = self.circuit.diffusion * np.sqrt(STEP) * rng.normal(size=shape)
        phase = rng.uniform(0, 2 * np.pi, (session.trials, 1)) + turned + np.cumsum(noise, axis=1)
        light = np.nan_to_num(session.stimulus.values[:, :, 0]) if session.stimulus else np.zeros(shape)
        rate = self._rates(session, self.factors(phase, light[:, : len(time)]), time)
        width = np.minimum(STEP, session.duration - time)  # the last step may be cut short
        counts = rng.poisson(rate * width[:, None])
        trial, step, neuron = (np.repeat(index, counts[counts > 0]) for index in np.nonzero(counts))
        when = np.minimum(time[step] + width[step] * rng.random(len(step)), session.duration)
        behaviour = (counts @ (self.importance / self.base) / width)[:, :, None]
        spikes = (trial, when, neuron)
        seen = activity(session, self.circuit.n_neurons, spikes=spikes, time=time, behaviour=behaviour)
        return seen.assign_coords(phase=(("trial", "time"), phase)).assign_attrs(engine=f"numpy {np.__version__}")

    def factors(self, phase: np.ndarray, light: np.ndarray) -> np.ndarray:
        """x (trial, time, factor) of the phase [rad] and the light, both (trial, time)."""
        past = np.pad(light, ((0, 0), (len(LAGS) - 1, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(past, len(LAGS), axis=1)[..., ::-1]  # (trial, time, lag)
        return np.concatenate([np.stack([np.cos(phase), np.sin(phase)], axis=-1), windows @ KERNELS.T], axis=-1)

    def _rates(self, session: Session, factors: np.ndarray, time: np.ndarray) -> np.ndarray:
        """(trial, time, neuron) [Hz] under the session's effects."""
        relative = 1 + factors @ self.loadings.T
        effects, trials = engine_effects(session, self.circuit.n_neurons, STEP), np.arange(session.trials)
        for step, now in enumerate(time if effects else ()):
            driven = np.maximum(relative[:, step] + drive_at(effects, now, trials, len(self.base)), 0)
            held = hold_at(effects, now, trials, len(self.base)) / self.base
            relative[:, step] = np.where(np.isnan(held), driven, held)
        return self.base * np.maximum(relative, 0)

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """Read off the equations; `latents` also needs the activity of the session in question."""
        answers = {
            "clock_latents": lambda: self._latents(activity),
            "clock_filter": self._receptive_fields,
            "clock_type": lambda: truths.per_neuron(cell_type=self.anatomy["cell_type"].values),
            "clock_dynamics": lambda: truths.one(regime="limit cycle" if self.circuit.frequency else "ring attractor"),
            "clock_dimensionality": lambda: truths.one(dimension=int(np.linalg.matrix_rank(self.loadings))),
            "clock_importance": lambda: truths.per_neuron(importance=self.importance),  # additive: its own w_i base_i
        }
        return truths.among(self.circuit.name, question, answers)

    def _latents(self, activity: xr.Dataset | None) -> xr.Dataset:
        if activity is None:
            raise LookupError(f"{self.circuit.name} can answer latents of an activity only, got none")
        light = np.nan_to_num(activity["stimulus"].values[:, :, 0])
        return truths.latents(self.factors(activity["phase"].values, light), activity["time"].values)

    def _receptive_fields(self) -> xr.Dataset:
        filters = (self.loadings[:, 2:] @ KERNELS)[:, :, None]
        coords = {"lag": ("lag", LAGS, {"units": "s"}), "feature": ["light"]}
        return xr.Dataset({"filter": (("neuron", "lag", "feature"), filters)}, coords)
