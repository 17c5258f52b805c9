"""Planted populations for the tests of the population methods: Poisson neurons tuned to an angle that diffuses.

Also rigs whose bump stays where a pulse put it, or returns at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import xarray as xr

from simlab.contracts import Budget, BudgetExceeded
from simlab.data import recording
from simlab.session import Session, Stimulus, pulsed_trials

STEP = 0.01
CANDIDATES = ("feedforward", "ring attractor")
CUE = 0.25


def preferred_angles(n_units: int) -> np.ndarray:
    return np.arange(n_units) * 2 * np.pi / n_units


def diffuse(rng: np.random.Generator, start: np.ndarray, n_steps: int, diffusion: float) -> np.ndarray:
    """Angle paths (trial, time): from the cue on, a random walk of variance `diffusion` [rad^2/s]."""
    steps = rng.normal(0, np.sqrt(diffusion * STEP), (len(start), n_steps))
    steps[:, : int(CUE / STEP)] = 0
    return start[:, None] + np.cumsum(steps, axis=1)


def tuned_rates(angle: np.ndarray, preferred: np.ndarray, peak: float = 40.0, base: float = 1.0) -> np.ndarray:
    """Rates (trial, time, unit) [Hz]: von Mises bumps of concentration 4 (half-width about 35 degrees)."""
    return base + peak * np.exp(4.0 * (np.cos(angle[..., None] - preferred) - 1.0))


def poisson_recording(rates: np.ndarray, rng: np.random.Generator, cue: np.ndarray | None = None) -> xr.Dataset:
    """A recording of Poisson spikes of these rates (trial, time, unit), with a cue angle (trial,) shown at first."""
    counts = rng.poisson(rates * STEP)
    trial, step, unit = (np.repeat(index, counts[counts > 0]) for index in np.nonzero(counts))
    when = (step + rng.uniform(0, 1, len(step))) * STEP
    n_trials, n_steps, n_units = rates.shape
    stimulus = None if cue is None else cue_stimulus(cue, n_steps).values
    result = recording(
        duration=n_steps * STEP, n_units=n_units, n_trials=n_trials, spikes=(trial, when, unit),
        time=np.arange(n_steps) * STEP, **({} if stimulus is None else {"stimulus": stimulus}),
    )  # fmt: skip
    if cue is not None:
        result = result.assign_coords(feature=["angle"])
    result.attrs["brief"] = {"candidates": CANDIDATES}
    return result


def cue_stimulus(cue: np.ndarray, n_steps: int) -> Stimulus:
    values = np.full((len(cue), n_steps, 1), np.nan)
    values[:, : int(CUE / STEP), 0] = cue[:, None]
    return Stimulus(("angle",), values, STEP)


def ring_recording(
    seed: int, n_units: int = 20, n_trials: int = 20, duration: float = 2.0, diffusion: float = 0.12, shown: bool = True
) -> xr.Dataset:
    rng = np.random.default_rng(seed)
    cue = rng.uniform(0, 2 * np.pi, n_trials)
    angle = diffuse(rng, cue, round(duration / STEP), diffusion)
    rates = tuned_rates(angle, rng.permutation(preferred_angles(n_units)))
    return poisson_recording(rates, rng, cue if shown else None)


def independent_recording(seed: int, n_units: int = 20, n_trials: int = 20, duration: float = 2.0) -> xr.Dataset:
    rng = np.random.default_rng(seed)
    cue = rng.uniform(0, 2 * np.pi, n_trials)
    return poisson_recording(np.full((n_trials, round(duration / STEP), n_units), 10.0), rng, cue)


def torus_recording(seed: int, n_units: int = 80, n_trials: int = 60, duration: float = 2.0) -> xr.Dataset:
    """Cells with one field on the torus of two angles, each of which wanders fast."""
    rng = np.random.default_rng(seed)
    first, second = (diffuse(rng, rng.uniform(0, 2 * np.pi, n_trials), round(duration / STEP), 4.0) for _ in range(2))
    centres = rng.uniform(0, 2 * np.pi, (2, n_units))
    tuning = np.cos(first[..., None] - centres[0]) + np.cos(second[..., None] - centres[1]) - 2.0
    return poisson_recording(1.0 + 60.0 * np.exp(1.5 * tuning), rng)


@dataclass
class FakeRig:
    """A rig on planted units. A pulse adds spikes to its targets and, if `moves`, drags the bump, which then stays."""

    n_units: int = 20
    remaining: Budget = field(default_factory=lambda: Budget(20, 40.0, 20))
    moves: bool = True
    effect: float = 40.0  # Hz added to targeted units by a pulse
    pull: float = 8.0  # rad/s towards the mean preferred angle of the targets, at most
    diffusion: float = 0.12
    shown: bool = True
    seed: int = 0
    sessions: int = 0

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        self.preferred = self.rng.permutation(preferred_angles(self.n_units))
        self.units = xr.Dataset(coords={"unit": np.arange(self.n_units)})
        self.brief = {"candidates": CANDIDATES}

    def session(self, *, trials: int, duration: float) -> Session:
        cue = self.rng.uniform(0, 2 * np.pi, trials)
        self.cue = cue
        return Session(trials, duration, cue_stimulus(cue, round(duration / STEP)) if self.shown else None)

    def record(self, session: Session) -> xr.Dataset:
        self._spend(session)
        n_steps = round(session.duration / STEP)
        cue = self.cue if session.stimulus is None else session.stimulus.values[:, 0, 0]
        angle = diffuse(self.rng, cue, n_steps, self.diffusion)
        extra = np.zeros((session.trials, n_steps, self.n_units))
        for pulse in session.perturbations:
            window = slice(round(pulse.start / STEP), round(pulse.stop / STEP))
            goal = np.angle(np.exp(1j * self.preferred[list(pulse.targets)]).mean())
            for trial in pulsed_trials(pulse, session.trials):
                extra[trial, window, list(pulse.targets)] += self.effect * pulse.strength
                if self.moves:
                    self._drag(angle[trial], window, goal)
        return poisson_recording(
            tuned_rates(angle, self.preferred) + extra, self.rng, cue if session.stimulus is not None else None
        )

    def _drag(self, angle: np.ndarray, window: slice, goal: float) -> None:
        for step in range(window.start, window.stop):
            angle[step:] += self.pull * STEP * np.sin(goal - angle[step])

    def _spend(self, session: Session) -> None:
        self.sessions += 1
        left = self.remaining
        self.remaining = replace(
            left,
            trials=left.trials - session.trials,
            seconds=left.seconds - session.trials * session.duration,
            perturbations=left.perturbations - session.n_perturbed_trials(),
        )
        if min(self.remaining.trials, self.remaining.seconds + 1e-9, self.remaining.perturbations) < 0:
            raise BudgetExceeded(f"asked for more than is left: {left}")
