"""One simple method for each of the six questions: enough to see a question at work, not to win it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Needs
from simlab.data import bin_spikes, mean_rates
from simlab.session import Perturbation

WIDTH = 0.05  # s, of bins


def told(recording: xr.Dataset) -> dict[str, Any]:
    """What the question says beside the recording."""
    return recording.attrs.get("brief", {})


def components(recording: xr.Dataset, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores (trial, time, component) of root counts, and all eigenvalues of their covariance, falling."""
    counts = np.sqrt(bin_spikes(recording, WIDTH).values)
    flat = counts.reshape(-1, counts.shape[2])
    flat = flat - flat.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov(flat.T))
    return (flat @ vectors[:, ::-1][:, :n]).reshape(*counts.shape[:2], n), values[::-1]


@dataclass(frozen=True)
class PrincipalLatents:
    """The first two principal components, averaged over the trials of each condition."""

    name: ClassVar[str] = "principal_latents"
    question: ClassVar[str] = "latents"
    family: ClassVar[str] = "dimensionality reduction"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(("spikes",), units=2, trials=2, conditions=True)

    n_factors: int = 2

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Scores (trial, time, factor); abstains where the bins are not the times that are asked for."""
        scores, _ = components(recording, self.n_factors)
        if len(told(recording).get("times", ())) != scores.shape[1]:
            return Finding.abstain(f"asked for other times than every {WIDTH} s")
        condition = recording["condition"].values
        means = np.stack([scores[condition == c].mean(axis=0) for c in condition])
        return Finding({"latent": means})


@dataclass(frozen=True)
class SpikeTriggeredAverage:
    """The mean stimulus before a spike."""

    name: ClassVar[str] = "spike_triggered_average"
    question: ClassVar[str] = "receptive_field"
    family: ClassVar[str] = "reverse correlation"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(("spikes",), stimulus=True)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Filters (unit, lag) in steps of the stimulus."""
        n_lags = told(recording).get("n_lags", 0)
        if not n_lags:
            return Finding.abstain("was not told how many lags the filters have")
        shown = recording["stimulus"].values[:, :, 0]
        counts = bin_spikes(recording, WIDTH).values[:, : shown.shape[1]]
        lagged = [np.pad(shown, ((0, 0), (lag, 0)))[:, : counts.shape[1]] for lag in range(n_lags)]
        return Finding({"filter": np.stack([np.einsum("ts,tsu->u", x, counts) for x in lagged], axis=1)})


@dataclass(frozen=True)
class RateGap:
    """Splits units at the widest gap between their log rates: the busier ones are called inhibitory."""

    name: ClassVar[str] = "rate_gap"
    question: ClassVar[str] = "cell_type"
    family: ClassVar[str] = "firing statistics"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(("spikes",), units=2)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """E or I for each unit."""
        level = np.log(mean_rates(recording) + 1e-3)
        order = np.sort(level)
        gap = int(np.argmax(np.diff(order)))
        return Finding({"label": np.where(level > (order[gap] + order[gap + 1]) / 2, "I", "E")})


@dataclass(frozen=True)
class StateSpeed:
    """Limit cycle if the first two components keep turning one way, else fixed point."""

    name: ClassVar[str] = "state_speed"
    question: ClassVar[str] = "dynamics"
    family: ClassVar[str] = "rotational dynamics"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(("spikes",), units=2)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """One of two kinds."""
        scores, _ = components(recording, 2)
        z = scores[..., 0] + 1j * scores[..., 1]
        turn = np.angle((z[:, 1:] * np.conj(z[:, :-1])).sum(axis=1))
        turning = abs(turn.mean()) > 3 * turn.std() / np.sqrt(len(turn))
        return Finding({"label": "limit cycle" if turning else "fixed point"})


@dataclass(frozen=True)
class ParallelAnalysis:
    """Counts the eigenvalues that exceed those of counts shuffled in time (Horn 1965)."""

    name: ClassVar[str] = "parallel_analysis"
    question: ClassVar[str] = "dimensionality"
    family: ClassVar[str] = "dimensionality"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(("spikes",), units=2)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """A whole number."""
        counts = np.sqrt(bin_spikes(recording, WIDTH).values)
        flat = counts.reshape(-1, counts.shape[2])
        shuffled = [np.linalg.eigvalsh(np.cov(rng.permuted(flat, axis=0).T))[-1] for _ in range(20)]
        return Finding({"dimension": int((components(recording, 1)[1] > max(shuffled)).sum())})


@dataclass(frozen=True)
class SilenceEach:
    """Active: silences one unit per trial, in turn, and measures how much of the behaviour goes."""

    name: ClassVar[str] = "silence_each"
    question: ClassVar[str] = "necessity"
    family: ClassVar[str] = "lesion"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(behaviour=True)

    duration: float = 2.0  # s

    def investigate(self, rig: Any, rng: np.random.Generator) -> Finding:
        """The fall of the mean behaviour under the silencing of each unit; abstains without a trial for each."""
        n = rig.units.sizes["unit"]
        rounds = int(min(rig.remaining.trials, rig.remaining.perturbations) // n)
        if rounds < 1:
            return Finding.abstain(f"needs a trial for each of {n} units")
        session = rig.session(trials=rounds * n, duration=self.duration)
        target = np.arange(rounds * n) % n
        for unit in range(n):
            mine = tuple(int(t) for t in np.flatnonzero(target == unit))
            session = session.perturbed(Perturbation("silence", (unit,), 1.0, 0.0, self.duration, mine))
        recording = rig.record(session)
        if "behaviour" not in recording:
            return Finding.abstain("needs behaviour, and this subject shows none")
        seen = recording["behaviour"].values.mean(axis=(1, 2))
        return Finding({"importance": seen.mean() - np.array([seen[target == unit].mean() for unit in range(n)])})
