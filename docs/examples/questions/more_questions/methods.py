"""One simple method for each of the six questions: none is the best of its kind, and each says when it must abstain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Needs, Rig
from simlab.data import bin_spikes, mean_rates, signals
from simlab.session import Perturbation


def _standardised(recording: xr.Dataset, width: float) -> tuple[np.ndarray, np.ndarray]:
    """(trial, time, unit) of mean 0 and variance 1, silent units left at 0; and the times (time,) [s]."""
    seen = signals(recording, min(width, recording.attrs["duration"]))
    values = seen.values - seen.values.mean(axis=(0, 1))
    spread = values.std(axis=(0, 1))
    return np.divide(values, spread, out=np.zeros_like(values), where=spread > 0), seen["time"].values


def _components(values: np.ndarray, n: int) -> np.ndarray:
    """Scores (trial, time, component) on the first n principal components of (trial, time, unit)."""
    rows = values.reshape(-1, values.shape[2])
    axes = np.linalg.eigh(rows.T @ rows)[1][:, ::-1]
    return values @ axes[:, :n]


@dataclass(frozen=True)
class PrincipalComponents:
    """Latents as the first principal components of standardised counts. How many there are it must be told."""

    name: ClassVar[str] = "clock_components"
    question: ClassVar[str] = "clock_latents"
    family: ClassVar[str] = "dimensionality reduction"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(units=2)

    n_factors: int = 4

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Scores in bins as wide as the times of the brief are apart."""
        times = np.asarray(recording.attrs.get("brief", {}).get("times", ()), dtype=float)
        if len(times) < 2:
            return Finding.abstain("needs to be told at least two times at which to state the factors")
        values, seen = _standardised(recording, float(np.diff(times).min()))
        nearest = np.clip(np.searchsorted(seen, times + 1e-9, side="right") - 1, 0, None)
        return Finding({"latent": _components(values, self.n_factors)[:, nearest]})


@dataclass(frozen=True)
class SpikeTriggeredAverage:
    """Receptive fields as the mean stimulus before a spike, less the mean stimulus (de Boer & Kuyper 1968)."""

    name: ClassVar[str] = "clock_triggered_average"
    question: ClassVar[str] = "clock_filter"
    family: ClassVar[str] = "spike-triggered"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(("spikes",), stimulus=True)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Averages at the lags of the brief."""
        lags, time = recording.attrs.get("brief", {}).get("lags", ()), recording["time"].values
        if not lags or len(time) <= len(lags):
            return Finding.abstain("needs the lags of the filter, and a stimulus that is longer than they are")
        step = time[1] - time[0]
        shown = np.nan_to_num(recording["stimulus"].values)
        shown = shown - shown.mean(axis=(0, 1))
        counts = bin_spikes(recording, step).values[:, : len(time)].astype(float)
        counts = np.pad(counts, ((0, 0), (0, len(time) - counts.shape[1]), (0, 0)))
        back = [round(lag / step) for lag in lags]
        sums = [np.einsum("abu,abf->uf", counts[:, k:], shown[:, : len(time) - k]) for k in back]
        n_spikes = np.maximum(counts.sum(axis=(0, 1)), 1)
        return Finding({"filter": np.stack(sums, axis=1) / n_spikes[:, None, None]})


@dataclass(frozen=True)
class FastSpikers:
    """Cell types by the widest gap between (logarithms of) rates: inhibitory neurons are on its faster side."""

    name: ClassVar[str] = "fast_spikers"
    question: ClassVar[str] = "clock_type"
    family: ClassVar[str] = "rates"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(("spikes",), units=2, equal_trials=False)

    least_gap: float = 1.3  # ratio of rates across the gap, or there are no two groups

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Labels `E` and `I`; abstains where the brief offers other types."""
        if set(recording.attrs.get("brief", {}).get("cell_types", ("E", "I"))) != {"E", "I"}:
            return Finding.abstain("knows only the types E and I")
        rates = mean_rates(recording)
        ranked = np.sort(rates[rates > 0])
        gaps = ranked[1:] / ranked[:-1]
        if not len(gaps) or gaps.max() < self.least_gap:
            return Finding.abstain(f"no two rates are a factor of {self.least_gap} apart, with none between them")
        return Finding({"cell_type": np.where(rates > ranked[gaps.argmax()], "I", "E").astype(object)})


@dataclass(frozen=True)
class LaggedEigenvalues:
    """The regime by how the first two components carry over: B = C(2 lag) C(lag)^-1, C the lagged covariance.

    Noise of single steps is in C(0) only, so that eigenvalues of B are those of the latent dynamics over one `lag`.
    Turning: limit cycle. Both kept: ring attractor; one of them: line attractor; none: fixed point.
    """

    name: ClassVar[str] = "lagged_eigenvalues"
    question: ClassVar[str] = "clock_dynamics"
    family: ClassVar[str] = "linear dynamics"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(units=3)

    lag: float = 0.2  # s
    width: float = 0.05  # s, of a bin
    least_turn: float = np.pi / 8  # rad within a lag
    least_kept: float = 0.5  # size of an eigenvalue that counts as memory

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """One of the four regimes that it can tell."""
        values, time = _standardised(recording, self.width)
        steps = max(1, round(self.lag / (time[1] - time[0]))) if len(time) > 1 else 1
        if len(time) <= 2 * steps or np.linalg.matrix_rank(values.reshape(-1, values.shape[2])) < 2:
            return Finding.abstain(f"needs two dimensions, and trials that are longer than {2 * self.lag:g} s")
        scores = _components(values, 2)
        once, twice = (np.einsum("abi,abj->ij", scores[:, k:], scores[:, :-k]) for k in (steps, 2 * steps))
        eigenvalues = np.linalg.eigvals(twice @ np.linalg.pinv(once))
        kept = np.abs(eigenvalues) >= self.least_kept
        if kept.any() and np.abs(np.angle(eigenvalues[kept])).max() >= self.least_turn:
            return Finding({"regime": "limit cycle"})
        return Finding({"regime": ("fixed point", "line attractor", "ring attractor")[int(kept.sum())]})


@dataclass(frozen=True)
class ParallelAnalysis:
    """The number of eigenvalues of the correlations that pass those of shuffled data (Horn 1965)."""

    name: ClassVar[str] = "clock_parallel_analysis"
    question: ClassVar[str] = "clock_dimensionality"
    family: ClassVar[str] = "dimensionality reduction"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(units=2)

    width: float = 0.05  # s, of a bin
    shuffles: int = 20

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Each unit's samples are permuted on their own; an eigenvalue counts where it passes the largest of all."""
        values, _ = _standardised(recording, self.width)
        rows = values.reshape(-1, values.shape[2])
        if not rows.any():
            return Finding.abstain("no unit's activity varies")
        largest = max(_spectrum(rng.permuted(rows, axis=0))[-1] for _ in range(self.shuffles))
        return Finding({"dimension": int(np.sum(_spectrum(rows) > largest))})


def _spectrum(rows: np.ndarray) -> np.ndarray:
    return np.linalg.eigvalsh(rows.T @ rows / len(rows))


@dataclass(frozen=True)
class SilenceEach:
    """Silences the units one by one, in turn with trials in which nobody is, and looks what the behaviour loses."""

    name: ClassVar[str] = "silence_each"
    question: ClassVar[str] = "clock_importance"
    family: ClassVar[str] = "lesion"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(behaviour=True)

    least_z: float = 3.0  # standard errors that a loss must measure, or it is stated as 0
    most_trials: int = 2000

    def investigate(self, rig: Rig, rng: np.random.Generator) -> Finding:
        """All the trials that the budget allows, shared out evenly."""
        n = rig.units.sizes["unit"]
        trials = int(min(rig.remaining.trials, rig.remaining.perturbations, self.most_trials))
        if trials < 3 * (n + 1):
            return Finding.abstain(f"needs three trials for each of {n} units and for none, and may have {trials}")
        session = rig.session(trials=trials, duration=min(rig.remaining.seconds / trials, 1.0))
        silenced = np.arange(trials) % (n + 1)  # n: nobody
        for unit in range(n):
            mine = tuple(np.flatnonzero(silenced == unit).tolist())
            session = session.perturbed(Perturbation("silence", (unit,), 1.0, 0.0, session.duration, mine))
        recording = rig.record(session)
        if "behaviour" not in recording:
            return Finding.abstain("no behaviour was recorded")
        groups = [recording["behaviour"].values.mean(axis=(1, 2))[silenced == k] for k in range(n + 1)]
        mean = np.array([group.mean() for group in groups])
        error = np.array([group.std(ddof=1) / np.sqrt(len(group)) for group in groups])
        loss = mean[n] - mean[:n]
        clear = np.abs(loss) > self.least_z * np.hypot(error[:n], error[n])
        importance = np.where(clear, loss, 0.0)
        top = (importance >= rig.brief.get("top_share", 0.5) * importance.max()) & (importance > 0)
        return Finding({"importance": importance, "top": top})
