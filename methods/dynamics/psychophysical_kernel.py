"""A verdict from behaviour alone: at what time in a trial does evidence weigh on the choice?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from methods.dynamics.cross_temporal_decoding import HANDED_ON, HELD
from simlab.contracts import Finding, Needs
from simlab.data import missing
from simlab.rules import check_fields
from simlab.rules.quantities import Level, Repeats


@dataclass(frozen=True)
class PsychophysicalKernel:
    """Weights of early and of late evidence in the choice: alike in one who forgets nothing, late ones in one who does.

    Psychophysical reverse correlation: a regression of the reported side, the sign of the behaviour as a trial ends, on
    the evidence shown in each of `n_parts` parts of a trial. A kernel that is flat is taken for a perfect integrator,
    one that rises for leak (Kiani, Hanks & Shadlen 2008, J Neurosci 28:3017; Brunton, Botvinick & Brody 2013, Science
    340:95; both from memory). It says line attractor unless weights rise, or fall, over the trial at `level`, against
    trials drawn anew with replacement; then hidden feedforward chain, whose memory ends.

    It needs no neuron. What adds up without forgetting is one to it, whatever it is made of. Abstains where no stimulus
    fluctuates within trials, and where one side is never chosen. Costs a second.
    """

    name: ClassVar[str] = "psychophysical_kernel"
    question: ClassVar[str] = "mechanism"
    family: ClassVar[str] = "behaviour"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(units=1, trials=40, stimulus=True, behaviour=True)

    n_parts: Repeats = 4
    level: Level = 0.01
    n_resamples: Repeats = 400

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The verdict; the notes give the kernel (part,), its mean 1, and the p-value of its slope."""
        if reason := missing(recording, self.needs):
            return Finding.abstain(reason)
        candidates = tuple(str(name) for name in recording.attrs.get("brief", {}).get("candidates", ()))
        if not {HELD, HANDED_ON} <= set(candidates):
            return Finding.abstain(
                f"tells {HELD} from {HANDED_ON}; the candidates are {', '.join(candidates) or 'none'}"
            )
        shown = recording["stimulus"].values[:, :, 0]
        shown = shown[:, np.isfinite(shown).all(axis=0)]
        if shown.shape[1] < self.n_parts or not (np.ptp(shown, axis=1) > 0).all():
            return Finding.abstain("what is shown does not fluctuate within trials")
        report = recording["behaviour"].values[:, :, 0].astype(float)
        choice = np.sign(report[:, -max(1, report.shape[1] // 10) :].mean(axis=1))
        if not np.isfinite(choice).all() or min((choice > 0).sum(), (choice < 0).sum()) < 5:
            return Finding.abstain("one of two sides is hardly ever chosen")
        parts = np.stack([part.mean(axis=1) for part in np.array_split(shown, self.n_parts, axis=1)], axis=1)
        weights = kernel(parts, choice)
        draws = np.array([kernel(parts[k], choice[k]) for k in self._samples(len(choice), rng)])
        rise = np.arange(self.n_parts) - (self.n_parts - 1) / 2
        slopes = draws @ rise
        p = float(2 * min((1 + (slopes <= 0).sum()), (1 + (slopes >= 0).sum())) / (1 + len(slopes)))
        notes = {"kernel": (weights / max(abs(float(weights.mean())), 1e-12)).tolist(), "p_of_slope": min(p, 1.0)}
        return Finding({"label": HANDED_ON if p < self.level else HELD}, notes=notes)

    def _samples(self, n_trials: int, rng: np.random.Generator) -> np.ndarray:
        return rng.integers(n_trials, size=(self.n_resamples, n_trials))


def kernel(parts: np.ndarray, choice: np.ndarray) -> np.ndarray:
    """(part,) least-squares weights of evidence (trial, part) in the choice (trial,), -1 or 1."""
    design = np.column_stack([parts, np.ones(len(parts))])
    return np.asarray(np.linalg.lstsq(design, choice, rcond=None)[0][:-1])
