"""Planted populations and reports for the methods that tell how trained networks do a task."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import xarray as xr

from simlab.contracts import Budget
from simlab.data import recording
from simlab.session import Session, Stimulus, pulsed_trials

LINES = ("external memory", "hidden feedforward chain", "line attractor")
CONTEXTS = ("input gating", "recurrent selection")
STEP = 0.05


def of_rates(rates: np.ndarray, shown: np.ndarray, names: tuple[str, ...], **more: object) -> xr.Dataset:
    """A recording of rates (trial, time, unit) every `STEP`, and of what was shown (trial, time, feature) meanwhile."""
    n_trials, n_times, n_units = rates.shape
    time = np.arange(n_times) * STEP
    found = recording(
        duration=n_times * STEP, n_units=n_units, n_trials=n_trials, signal=rates, modality="rate", signal_units="Hz",
        sample_time=time, time=time, stimulus=shown, **more,
    )  # fmt: skip
    return found.assign_coords(feature=list(names))


def delay(moving: float, n_trials: int = 60, n_units: int = 24, noise: float = 1.0, seed: int = 0) -> xr.Dataset:
    """A value shown for .25 s, carried by all units (`moving` 0) or by those whose turn it is, `moving` of the time."""
    rng = np.random.default_rng(seed)
    values, n_times = rng.uniform(-1, 1, n_trials), 40
    turn = np.linspace(0, 1, n_units) if moving else np.zeros(n_units)
    now = np.linspace(0, 1, n_times)[:, None]
    share = np.exp(-(((now - turn) / 0.1) ** 2)) if moving else np.ones((n_times, n_units))
    slopes = 8 * rng.choice([-1.0, 1.0], n_units)
    rates = 20 + values[:, None, None] * share * slopes + noise * rng.standard_normal((n_trials, n_times, n_units))
    shown = np.full((n_trials, n_times, 1), np.nan)
    shown[:, :5, 0] = values[:, None]
    found = of_rates(rates, shown, ("value",))
    found.attrs["brief"] = {"candidates": LINES}
    return found


def judged(weights: np.ndarray, n_trials: int = 300, seed: int = 0, bias: float = 0.0) -> xr.Dataset:
    """Evidence in twenty frames whose sum with these weights (frame,) and some noise is the report; deaf units."""
    rng = np.random.default_rng(seed)
    shown = rng.standard_normal((n_trials, 20, 1))
    report = shown[:, :, 0] @ weights + 0.5 * np.linalg.norm(weights) * rng.standard_normal(n_trials) + bias
    rates = 10 + rng.standard_normal((n_trials, 20, 4))
    behaviour = np.repeat(report[:, None, None], 20, axis=1)
    found = of_rates(rates, shown, ("evidence",), behaviour=behaviour)
    found.attrs["brief"] = {"candidates": LINES}
    return found


@dataclass
class ContextRig:
    """Units of two senses, of a choice, and of nothing, in trials of 1 s that begin with .2 s of the context alone.

    gated: whether units of a sense hear of it only where it counts. copies: units beside them that hear of both senses
    always, and that nobody listens to. The report follows the sense that counts, by the units that hear of it.
    """

    gated: bool
    copies: bool = False
    noise: float = 1.0
    seed: int = 0
    remaining: Budget = field(default_factory=lambda: Budget(400, 400.0, 200))
    brief: dict[str, object] = field(default_factory=lambda: {"candidates": CONTEXTS})
    sessions: list[Session] = field(default_factory=list)

    def session(self, *, trials: int, duration: float) -> Session:
        rng = np.random.default_rng(self.seed + len(self.sessions))
        context = rng.permutation(np.where(np.arange(trials) % 2, 1.0, -1.0))
        shown = rng.choice([-0.4, -0.2, 0.2, 0.4], (trials, 1, 2)) + 0.1 * rng.standard_normal((trials, 20, 2))
        shown[:, :4] = np.nan
        both = np.concatenate([shown, np.repeat(context[:, None, None], 20, axis=1)], axis=2)
        return Session(trials, duration, Stimulus(("motion", "colour", "context"), both, duration / 20))

    def record(self, session: Session) -> xr.Dataset:
        self.sessions.append(session)
        left = self.remaining
        self.remaining = Budget(
            left.trials - session.trials, left.seconds - session.trials * session.duration,
            left.perturbations - session.n_perturbed_trials(),
        )  # fmt: skip
        rng = np.random.default_rng(1000 + self.seed + len(self.sessions))
        shown = session.stimulus.values
        counts = np.where(np.nan_to_num(shown[:, :, [2]]) > 0, [1.0, 0.0], [0.0, 1.0])
        heard = np.nan_to_num(shown[:, :, :2]) * (counts if self.gated else 1.0)
        unit = np.arange(20)
        signal = 20 + self.noise * rng.standard_normal((session.trials, 20, 20))
        signal[:, :, :8] += 10 * np.where(unit[:8] % 2, 1.0, -1.0) * heard[:, :, unit[:8] // 4]
        if self.copies:
            signal[:, :, 8:12] += 10 * np.nan_to_num(shown[:, :, :2])[:, :, unit[8:12] % 2]
        for pulse in session.perturbations:
            on = pulsed_trials(pulse, session.trials)
            signal[np.ix_(on, np.arange(4, 10), list(pulse.targets))] += 20.0 * pulse.strength
        driven = (signal[:, :, :8] - 20) * np.where(unit[:8] % 2, 1.0, -1.0)
        said = sum(counts[:, :, k] * driven[:, :, 4 * k : 4 * k + 4].mean(axis=2) for k in (0, 1))
        report = np.cumsum(said, axis=1) / 20
        signal[:, :, 12:16] += report[:, :, None]
        found = of_rates(signal, shown, ("motion", "colour", "context"), behaviour=report[:, :, None])
        return found.assign_attrs(brief=self.brief, duration=session.duration)


def watched(trials: int = 200, **world: object) -> xr.Dataset:
    """The natural session of a `ContextRig`."""
    rig = ContextRig(**world)  # type: ignore[arg-type]
    return rig.record(rig.session(trials=trials, duration=1.0))


def without(found: xr.Dataset, *, candidates: tuple[str, ...]) -> xr.Dataset:
    """The same recording under a brief with other candidates."""
    return found.assign_attrs(brief={"candidates": candidates})


def cheaper(rig: ContextRig, **budget: float) -> ContextRig:
    """The same rig with less to spend."""
    return replace(rig, remaining=replace(rig.remaining, **budget))
