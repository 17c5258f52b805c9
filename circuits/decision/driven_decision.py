"""What ramping and stepping populations share: neurons that follow a latent, alone or to its mirror image.

    rate_i(t) = m_i max(0, g_i + d_i s_i x(t)),   m_i ~ lognormal,   d_i ~ U(depths),   s_i = -1 or 1
    g_i = exp(b u_i - b^2 / 2),   u_i: over trials an AR(1) of variance 1, half of it common to all neurons

x runs from -1 (left) to 1 (right); g is the drift of the baseline, which stays through a trial and wanders over the
session. There are no synapses: what a neuron fires changes nothing, in it or in others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import xarray as xr

from circuits.decision import task
from circuits.decision.diffusion import STEP
from simlab import truths
from simlab.data import activity, anatomy
from simlab.rules import Within, require
from simlab.session import Session
from simlab.simulators.given_rates import spikes

GRID = 2
"""Steps between samples of the latent: 10 ms."""

SHARED = 0.5
"""Share of the drift's variance that all neurons have in common: arousal and electrodes in equal parts."""

MeanRate = Annotated[float, Within(0.5, 100, "Hz")]
Spread = Annotated[float, Within(0, 1.5)]
Depth = Annotated[float, Within(0, 1)]
Depths = tuple[Depth, Depth]
Irregularity = Annotated[float, Within(0.2, 2)]
Drift = Annotated[float, Within(0, 1)]
Memory = Annotated[float, Within(1, 1000, "trials")]
Size = Annotated[int, Within(2, 10_000)]

Paths = Callable[[Session, np.ndarray, np.random.Generator], tuple[np.ndarray, np.ndarray]]
"""(session, starts of steps [s], rng) -> latent (trial, step) and choice (trial,), -1 or 1."""


@dataclass(frozen=True, eq=False)
class DrivenSubject:
    """One individual: `paths` draws its latents; mid, depth and side (neuron,) say how each neuron follows them.

    circuit: a RampingDecision, whose parameters of rates and drift these are; `name` is that of its own circuit.
    """

    name: str
    circuit: Any
    paths: Paths
    mid: np.ndarray
    depth: np.ndarray
    side: np.ndarray
    anatomy: xr.Dataset

    @classmethod
    def drawn(cls, name: str, circuit: Any, paths: Paths, rng: np.random.Generator) -> DrivenSubject:
        """Rates, depths, sides and places of the neurons; half of them prefer either side."""
        n, spread = circuit.n_neurons, circuit.rate_spread
        mid = circuit.mean_rate * np.exp(spread * rng.standard_normal(n) - spread**2 / 2)
        depth = rng.uniform(circuit.depths[0], circuit.depths[1], n)
        side = rng.permutation(np.where(np.arange(n) % 2 == 0, 1.0, -1.0))
        place = rng.uniform(0, task.TISSUE, (n, 3))
        return cls(name, circuit, paths, mid, depth, side, anatomy(place, ["E"] * n, "cortex"))

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Evidence for either side; see `circuits.decision.task`."""
        return task.session(self.circuit.coherences, trials, duration, rng)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """Spikes, and whether each trial's choice was right; attrs name the stream of the latents."""
        seed = int(rng.integers(2**53))
        x, choice = self._latents(session, seed)
        rates = self.rates(x, self.baselines(session.trials, rng))
        columns = spikes(session, rates, STEP, rng, interval_cv=self.circuit.interval_cv)
        outcome = (choice == task.right_side(session)).astype(float)
        found = activity(session, len(self.mid), spikes=columns, outcome=outcome)
        return found.assign_attrs(engine=f"numpy {np.__version__}", latents=seed)

    def _latents(self, session: Session, seed: int) -> tuple[np.ndarray, np.ndarray]:
        starts = np.arange(int(np.ceil(session.duration / STEP - 1e-9))) * STEP
        return self.paths(session, starts, np.random.default_rng(seed))

    def rates(self, x: np.ndarray, gain: np.ndarray | float = 1.0) -> np.ndarray:
        """(trial, step, neuron) [Hz] at the latent x (trial, step), with baselines (trial, neuron)."""
        level = np.broadcast_to(gain, (len(x), len(self.mid)))[:, None, :]
        return self.mid * np.maximum(level + self.depth * self.side * x[:, :, None], 0.0)

    def baselines(self, trials: int, rng: np.random.Generator) -> np.ndarray:
        """(trial, neuron) with the mean 1: how far each neuron's baseline has drifted by each trial."""
        c = self.circuit
        keep = np.exp(-1 / c.drift_memory)
        u = rng.standard_normal((trials, len(self.mid) + 1))
        for trial in range(1, trials):
            u[trial] = keep * u[trial - 1] + np.sqrt(1 - keep**2) * u[trial]
        mixed = np.sqrt(SHARED) * u[:, :1] + np.sqrt(1 - SHARED) * u[:, 1:]
        return np.exp(c.baseline_drift * mixed - c.baseline_drift**2 / 2)

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`dynamics`: driven; `latents` of the activity, exact; `connectivity`: none."""
        answers = {
            "dynamics": lambda: truths.one(label="driven"),
            "latents": lambda: self.latents(activity),
            "connectivity": lambda: truths.no_wiring(len(self.mid)),
        }
        return truths.among(self.name, question, answers)

    def latents(self, activity: xr.Dataset | None) -> xr.Dataset:
        """(trial, time, 1) every 10 ms: x, drawn again from the stream that the activity names.

        Raises SimlabError without an activity of such a subject.
        """
        require(
            activity is not None and "latents" in activity.attrs,
            "latents are of an activity that this subject ran, got none: run a session first",
        )
        assert activity is not None  # for the type checker: `require` has raised
        x, _ = self._latents(_session_of(activity), int(activity.attrs["latents"]))
        kept = np.arange(GRID - 1, x.shape[1], GRID)
        return truths.latents(x[:, kept, None], (kept + 1) * STEP)


def _session_of(activity: xr.Dataset) -> Session:
    """The session that an activity is of, without what was done in it."""
    from simlab.session import Stimulus

    trials, duration = activity.sizes["trial"], float(activity.attrs["duration"])
    if "stimulus" not in activity:
        return Session(trials, duration)
    times = activity["time"].values
    width = float(times[1] - times[0]) if len(times) > 1 else duration
    return Session(trials, duration, Stimulus(("evidence",), activity["stimulus"].values, width))
