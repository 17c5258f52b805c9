"""Is an assembly wired, or driven together? Push one half of it, and watch the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.assemblies._partitions import binned, correlations
from methods.assemblies.promax_assemblies import PromaxAssemblies
from simlab.contracts import Finding, Needs, Rig
from simlab.data import in_window
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Count, Level, Width
from simlab.session import Perturbation

FEWEST = 6
"""Pushed trials, and as many others, without which there is no verdict."""

Length = Annotated[float, Within(0.1, 100, "s")]


@dataclass(frozen=True)
class PushedAssembly:
    """Finds assemblies in one session; in another, drives half of the units of the largest one and watches its rest.

    Units of a wired assembly recruit one another (pattern completion: Carrillo-Reid et al. 2016, Science 353:691);
    units that a common input holds together do not. In half of the trials of the second session a pulse reaches the
    targets; the change of the rate of the units watched, from before to during it, less that of all units outside the
    assembly, is compared with that in the other trials by a t-test (Welch) at `level`, one-sided. If it is larger, the
    verdict is `wired`; if not, it is `driven` where the assembly's units correlate more in the trials without a pulse
    than `level` of equally many units drawn at random, and else `unstructured`, as where no assembly was found.
    Assemblies are found by `promax_assemblies`. Needs a stimulator, and a budget of twice `FEWEST` trials.
    """

    name: ClassVar[str] = "pushed_assembly"
    question: ClassVar[str] = "mechanism"
    family: ClassVar[str] = "perturbation"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(("spikes",), units=12)

    wired: str = "clustered wiring"
    driven: str = "common drive"
    unstructured: str = "homogeneous wiring"
    strength: Annotated[float, Within(0, 1000, "rheobases", excluding=(0,))] = 1.0
    pulse: Width = 0.3  # s; as much before it is compared
    longest: Length = 5.0  # s; no trial is longer
    most_trials: Count = 120
    width: Width = 0.1  # s, of counts
    level: Level = 0.01
    draws: Count = 200  # of random groups

    def __post_init__(self) -> None:
        check_fields(self)

    def investigate(self, rig: Rig, rng: np.random.Generator) -> Finding:
        """The verdict; notes: sizes of assembly and targets, recruited rate [Hz], its p, and that of correlation."""
        lacking = [m for m in (self.wired, self.driven, self.unstructured) if m not in rig.brief.get("candidates", ())]
        if lacking:
            return Finding.abstain(f"{', '.join(lacking)} is none of the candidates")
        left = rig.remaining
        trials = int(min(left.trials, self.most_trials))
        duration = float(np.floor(min(self.longest, left.seconds / max(trials, 1)) * 20) / 20)
        n_test = trials // 2
        if n_test < 2 * FEWEST or left.perturbations < FEWEST or duration < 3 * self.pulse:
            return Finding.abstain(f"a budget of {trials} trials of {duration:g} s is too small to push and compare")
        first = rig.record(rig.session(trials=trials - n_test, duration=duration))
        members = self._largest(first, rng)
        if len(members) < 4:
            return Finding({"label": self.unstructured}, notes={"members": len(members)})
        targets, watched = np.array_split(rng.permutation(members), 2)
        pushed = rng.permutation(n_test)[: int(min(n_test // 2, left.perturbations))]
        start = duration / 2
        push = Perturbation(
            "stimulate", tuple(sorted(targets.tolist())), self.strength, start, start + self.pulse,
            trials=tuple(sorted(pushed.tolist())),
        )  # fmt: skip
        second = rig.record(rig.session(trials=n_test, duration=duration).perturbed(push))
        gain, p = self._recruited(second, watched, members, np.isin(np.arange(n_test), pushed), start)
        together = self._together(second.isel(trial=np.setdiff1d(np.arange(n_test), pushed)), members, rng)
        label = self.wired if p <= self.level else self.driven if together <= self.level else self.unstructured
        notes = {"members": len(members), "targets": len(targets), "recruited": gain, "p": p, "p_together": together}
        return Finding({"label": label}, notes=notes)

    @staticmethod
    def _largest(recording: xr.Dataset, rng: np.random.Generator) -> np.ndarray:
        """Units of the assembly with most units, none where there is one group or nothing could be divided."""
        found = PromaxAssemblies().analyse(recording, rng)
        if found.abstained or not found.notes.get("components"):
            return np.empty(0, dtype=int)
        group = np.asarray(found.estimate["group"])
        return np.flatnonzero(group == np.bincount(group).argmax())

    def _recruited(
        self, recording: xr.Dataset, watched: np.ndarray, members: np.ndarray, pushed: np.ndarray, start: float
    ) -> tuple[float, float]:
        """What a push adds to the rate of the units watched beyond that of units outside [Hz], and its p."""
        from scipy.stats import ttest_ind

        change = in_window(recording, start, self.pulse) - in_window(recording, start - self.pulse, self.pulse)
        others = np.setdiff1d(np.arange(change.shape[1]), members)
        outside = change[:, others].mean(axis=1) if len(others) else 0.0
        more = (change[:, watched].mean(axis=1) - outside) / self.pulse
        test = ttest_ind(more[pushed], more[~pushed], equal_var=False, alternative="greater")
        p = float(test.pvalue) if np.isfinite(test.pvalue) else 1.0
        return float(more[pushed].mean() - more[~pushed].mean()), p

    def _together(self, recording: xr.Dataset, members: np.ndarray, rng: np.random.Generator) -> float:
        """The share of random groups of as many units that correlate as much."""
        matrix = correlations(binned(_kept(recording), self.width))
        np.fill_diagonal(matrix, 0.0)

        def mean(group: np.ndarray) -> float:
            return float(matrix[np.ix_(group, group)].sum())

        null = [mean(rng.permutation(len(matrix))[: len(members)]) for _ in range(self.draws)]
        return float((1 + np.sum(np.array(null) >= mean(members))) / (1 + self.draws))


def _kept(recording: xr.Dataset) -> xr.Dataset:
    """A Recording of which trials were chosen, with the spikes of these alone, numbered anew."""
    number = {int(trial): k for k, trial in enumerate(recording["trial"].values)}
    kept = np.array([int(t) in number for t in recording["spike_trial"].values], dtype=bool)
    new = [number[int(t)] for t in recording["spike_trial"].values[kept]]
    recording = recording.isel(spike=kept)
    return recording.assign(spike_trial=("spike", np.array(new, dtype=recording["spike_trial"].dtype)))
