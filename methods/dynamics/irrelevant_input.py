"""Selected early or late? Whether the sense that does not count can be read from the population all the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from methods.dynamics._context import GATED, SELECTED, Senses, senses, told_apart
from methods.dynamics._delay import RIDGE, permutation_p
from methods.population._population import unusable
from simlab.contracts import Finding, Needs
from simlab.rules import check_fields
from simlab.rules.quantities import Level, Repeats


@dataclass(frozen=True)
class IrrelevantInput:
    """Decodes each sense in the trials in which it does not count: what is there was not shut out.

    The argument of Mante et al. (2013, Nature 503:78): motion and colour are represented in prefrontal cortex whether
    they count or not, so that selection is not before it but in its own recurrent dynamics. A ridge regression reads
    what was shown of a sense from the population, in trials of the other context that were left out; where it does so
    in either sense better than of shuffled trials it says recurrent selection, else input gating. Notes give how well
    each is read (r) in both contexts.

    That a sense can be read does not mean that it reaches the neurons which decide: copies that nobody listens to do as
    well. Abstains where no context is told and on too few trials of either. Costs a second.
    """

    name: ClassVar[str] = "irrelevant_input"
    question: ClassVar[str] = "mechanism"
    family: ClassVar[str] = "decoding"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(units=5, trials=40, stimulus=True)

    level: Level = 0.01
    n_resamples: Repeats = 200

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The verdict on a Recording."""
        refusal = told_apart(recording.attrs.get("brief", {})) or unusable(recording, self.needs)
        if refusal is not None:
            return refusal
        found = senses(recording)
        if isinstance(found, Finding):
            return found
        read, p = self._read(found, rng)
        label = SELECTED if min(p) * len(p) < self.level else GATED
        return Finding({"label": label}, notes={**read, "p": min(1.0, min(p) * len(p))})

    def _read(self, found: Senses, rng: np.random.Generator) -> tuple[dict[str, float], list[float]]:
        notes: dict[str, float] = {}
        chances = []
        for sense in (0, 1):
            for counts in (True, False):
                trials = found.counting == (sense if counts else 1 - sense)
                r, shuffled = _decoded(found.activity[trials], found.shown[trials, sense], self.n_resamples, rng)
                notes[f"r_{'relevant' if counts else 'irrelevant'}_{sense}"] = r
                if not counts:
                    chances.append(permutation_p(r, shuffled))
        return notes, chances


FOLDS = 5


def _decoded(
    activity: np.ndarray, shown: np.ndarray, n_resamples: int, rng: np.random.Generator
) -> tuple[float, np.ndarray]:
    """How well activity (trial, unit) tells what was shown (trial,), and shuffled trials do: correlations."""
    fold = rng.permutation(len(shown)) % FOLDS
    each = np.stack([shown, *(rng.permutation(shown) for _ in range(n_resamples))], axis=1)
    told = np.empty(each.shape)
    for k in range(FOLDS):
        train, test = fold != k, fold == k
        centre, spread = activity[train].mean(axis=0), np.maximum(activity[train].std(axis=0), 1e-9)
        x, mean = (activity[train] - centre) / spread, each[train].mean(axis=0)
        gram = x.T @ x + RIDGE * x.shape[1] * np.eye(x.shape[1])
        weights = np.linalg.solve(gram, x.T @ (each[train] - mean))
        told[test] = (activity[test] - centre) / spread @ weights  # about the mean of its own fold
    told, aim = told - told.mean(axis=0), each - each.mean(axis=0)
    size = np.linalg.norm(told, axis=0) * np.linalg.norm(aim, axis=0)
    r = np.divide((told * aim).sum(axis=0), size, out=np.zeros(len(size)), where=size > 0)
    return float(r[0]), r[1:]
