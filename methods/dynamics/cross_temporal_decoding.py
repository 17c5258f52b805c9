"""Persistent or sequential? Whether a readout that is fitted at one time of a delay reads the others as well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.dynamics._delay import RIDGE, in_the_dark
from methods.population._population import unusable
from simlab.contracts import Finding, Needs
from simlab.data import is_spiking, signals
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level, Width

HELD, HANDED_ON = "line attractor", "hidden feedforward chain"
"""What a code that stays, and one that moves from unit to unit, are taken for."""

FOLDS = 4


@dataclass(frozen=True)
class CrossTemporalDecoding:
    """Reads a number from the population at each time with the weights of each other time, and compares.

        stability = sum of c(t, t') / sum of c(t, t), over t' that are half of the time or more behind t

    c(t, t'): the covariance, in trials that were left out, of the number with what a ridge regression fitted at t makes
    of the activity at t'. Near 1 where one pattern lasts, near 0 where the number moves from unit to unit or is lost:
    the test for a stable or a dynamic code (King & Dehaene 2014, Trends Cogn Sci 18:203; Murray et al. 2017, PNAS
    114:394; Spaak et al. 2017, J Neurosci 37:6503; all from memory), between which memories of trained networks lie
    (Orhan & Ma 2019, Nat Neurosci 22:275). The number is the last that was shown, in the dark after it; where there is
    no dark, the mean of what is shown in a trial, in the trial's second half.

    It says line attractor above `least_stable`, else hidden feedforward chain, and takes a pattern that lasts for a
    network that holds it, whoever does. Abstains where the number cannot be read. Costs a second.
    """

    name: ClassVar[str] = "cross_temporal_decoding"
    question: ClassVar[str] = "mechanism"
    family: ClassVar[str] = "decoding"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(units=5, trials=20, stimulus=True)

    bin_width: Width = 0.1  # s
    least_stable: Level = 0.5
    least_read: Annotated[float, Within(0, 1)] = 0.3  # mean correlation of number and readout at the same time

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The verdict; the notes give `stability` and how well the number is `read` at the time of the fit."""
        candidates = tuple(str(name) for name in recording.attrs.get("brief", {}).get("candidates", ()))
        if not {HELD, HANDED_ON} <= set(candidates):
            return Finding.abstain(
                f"tells {HELD} from {HANDED_ON}; the candidates are {', '.join(candidates) or 'none'}"
            )
        if refusal := unusable(recording, self.needs):
            return refusal
        found = self._number(recording)
        if isinstance(found, Finding):
            return found
        values, number = found
        if np.ptp(number) == 0:
            return Finding.abstain("the same was shown in every trial")
        said, read = across(values, number, rng.permutation(len(number)) % FOLDS)
        if not read >= self.least_read:
            return Finding.abstain(f"what was shown can hardly be read from these units (r = {read:.2g})")
        label = HELD if said >= self.least_stable else HANDED_ON
        return Finding({"label": label}, notes={"stability": said, "read": read})

    def _number(self, recording: xr.Dataset) -> tuple[np.ndarray, np.ndarray] | Finding:
        """Activity (trial, bin, unit), and the number that is to be read from it (trial,)."""
        delay = in_the_dark(recording, self.bin_width, 5 * self.bin_width, self.bin_width)
        if not isinstance(delay, Finding) and delay.shown is not None:
            return delay.values, delay.shown[:, 0]
        shown = recording["stimulus"].values[:, :, 0]
        if not np.isfinite(shown).any(axis=1).all():
            return Finding.abstain("nothing is shown in some trials")
        trace = signals(recording, self.bin_width)
        values = np.asarray(trace.values, dtype=float)
        values = np.sqrt(values / self.bin_width) if is_spiking(recording) else values
        late = values[:, values.shape[1] // 2 :]
        if late.shape[1] < 4:
            return Finding.abstain(f"half a trial holds {late.shape[1]} samples, and this needs 4")
        return late, np.nanmean(shown, axis=1)


def unlisted(recording: xr.Dataset) -> Finding | None:
    """An abstention where the two mechanisms are not both candidates."""
    names = tuple(str(name) for name in recording.attrs.get("brief", {}).get("candidates", ()))
    if {HELD, HANDED_ON} <= set(names):
        return None
    return Finding.abstain(f"tells {HELD} from {HANDED_ON}; the candidates are {', '.join(names) or 'none'}")


def across(values: np.ndarray, number: np.ndarray, fold: np.ndarray) -> tuple[float, float]:
    """The stability of a code for a number (trial,) in values (trial, time, unit), and how well it is read (r)."""
    n_times = values.shape[1]
    told = np.empty((n_times, n_times, len(number)))  # fitted at, read at
    for k in np.unique(fold):
        train, test = fold != k, fold == k
        for t in range(n_times):
            weights, centre = _ridge(values[train, t], number[train])
            told[t][:, test] = ((values[test] - centre) @ weights).T
    aim = number - number.mean()
    covariance = (told - told.mean(axis=2, keepdims=True)) @ aim / len(aim)
    each = np.array([_correlation(told[t, t], aim) for t in range(n_times)])
    ahead, behind = np.nonzero(np.subtract.outer(np.arange(n_times), np.arange(n_times)) <= -n_times / 2)
    same = max(float(np.diag(covariance)[ahead].sum()), 1e-12)
    return float(covariance[ahead, behind].sum()) / same, float(each.mean())


def _ridge(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights (unit,) and the mean (unit,) of x (trial, unit) in a ridge regression of y, as `_delay.read_out`."""
    centre = x.mean(axis=0)
    spread = np.maximum(x.std(axis=0), 1e-9)
    z = (x - centre) / spread
    gram = z.T @ z + RIDGE * z.shape[1] * np.eye(z.shape[1])
    return np.linalg.solve(gram, z.T @ (y - y.mean())) / spread, centre


def _correlation(x: np.ndarray, y: np.ndarray) -> float:
    size = np.linalg.norm(x - x.mean()) * np.linalg.norm(y - y.mean())
    return float((x - x.mean()) @ (y - y.mean()) / size) if size > 0 else 0.0
