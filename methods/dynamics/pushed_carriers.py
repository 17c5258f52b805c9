"""Selected early or late, by experiment: are the units that carry the irrelevant sense those that inform the choice?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.dynamics._context import FEWEST, GATED, SELECTED, Senses, senses, told_apart
from methods.population._population import unusable
from simlab.contracts import Finding, Needs, Rig
from simlab.data import missing
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level, Width
from simlab.session import Perturbation, Session


@dataclass(frozen=True)
class PushedCarriers:
    """Pushes units that carry a sense where it does not count, in trials in which it does, and watches the report.

    1. In a natural session, units whose activity rises with a sense in the trials of the other context (a t test of the
       regression, at `level` over all units and senses) are its carriers. No carriers: input gating.
    2. In a second one, carriers of each sense are stimulated in half of the trials in which it counts. A report that
       moves says that those who carry the sense where it is irrelevant are those by whom it counts where it is not: it
       came in, and was selected within, recurrent selection. One that does not says that they are copies which nobody
       listens to: input gating.

    What Mante et al. (2013, Nature 503:78) read from activity, asked of the choice. The test is ours. Abstains on a
    small budget, where nothing is reported, and on too few trials of a context. Costs a second besides the recordings.
    """

    name: ClassVar[str] = "pushed_carriers"
    question: ClassVar[str] = "mechanism"
    family: ClassVar[str] = "perturbation"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(units=5, trials=4 * FEWEST, stimulus=True, behaviour=True)

    strength: Annotated[float, Within(0, 1000, "rheobases", excluding=(0,))] = 1.0
    length: Width = 0.3  # s from the senses' onset
    level: Level = 0.01
    duration: Width = 1.0  # s of a trial, if the budget buys it

    def __post_init__(self) -> None:
        check_fields(self)

    def investigate(self, rig: Rig, rng: np.random.Generator) -> Finding:
        """Records two sessions within the rig's budget; the notes give carriers and how far the report moved."""
        refusal = told_apart(rig.brief)
        if refusal is not None:
            return refusal
        left = rig.remaining
        trials = int(min(left.trials, 1000))
        duration = min(self.duration, left.seconds / max(trials, 1))
        if trials < self.needs.trials or left.perturbations < FEWEST or duration < 2 * self.length:
            return Finding.abstain(
                f"the budget of {left.trials:g} trials, {left.seconds:g} s and {left.perturbations:g} perturbations is "
                f"too small for {self.needs.trials} trials of {2 * self.length:g} s, {FEWEST} of them perturbed"
            )
        baseline = rig.record(rig.session(trials=trials // 2, duration=duration))
        if reason := missing(baseline, Needs(stimulus=True, behaviour=True)):
            return Finding.abstain(reason)
        refusal = unusable(baseline, Needs(units=self.needs.units))
        found = senses(baseline) if refusal is None else refusal
        if isinstance(found, Finding):
            return found
        carriers = self.carriers(found)
        notes: dict[str, object] = {"carriers": [len(units) for units in carriers]}
        if not any(len(units) for units in carriers):
            return Finding({"label": GATED}, notes=notes)
        return self._pushed(rig, trials - trials // 2, duration, found.onset, carriers, notes, rng)

    def carriers(self, found: Senses) -> list[np.ndarray]:
        """For each sense, the units that rise with it where it does not count."""
        from scipy.stats import t

        chosen = []
        for sense in (0, 1):
            trials = found.counting == 1 - sense
            x, y = found.shown[trials], found.activity[trials]
            design = np.column_stack([x, np.ones(len(x))])  # with the sense that counts, which moves them too
            weights = np.linalg.lstsq(design, y, rcond=None)[0]
            freedom = len(x) - 3
            spread = ((y - design @ weights) ** 2).sum(axis=0) / freedom
            error = np.sqrt(np.maximum(spread * np.linalg.pinv(design.T @ design)[sense, sense], 1e-18))
            moved = np.ptp(y, axis=0) > 0
            p = np.where(moved, t.sf(weights[sense] / error, freedom), 1.0)
            chosen.append(np.flatnonzero(p < self.level / (2 * y.shape[1])))
        return chosen

    def _pushed(
        self, rig: Rig, trials: int, duration: float, onset: float, carriers: list[np.ndarray],
        notes: dict[str, object], rng: np.random.Generator,
    ) -> Finding:  # fmt: skip
        natural = rig.session(trials=trials, duration=duration)
        counting = _counting(natural)
        pushed = np.zeros(trials, dtype=bool)
        pulses = []
        for sense in (0, 1):
            mine = rng.permutation(np.flatnonzero(counting == sense))
            chosen = mine[: int(min(len(mine) // 2, rig.remaining.perturbations // 2))]
            if len(carriers[sense]) and len(chosen):
                pushed[chosen] = True
                units, when = tuple(carriers[sense].tolist()), tuple(np.sort(chosen).tolist())
                pulses.append(Perturbation("stimulate", units, self.strength, onset, onset + self.length, when))
        seen = rig.record(natural.perturbed(*pulses))
        used = [sense for sense in (0, 1) if (pushed & (counting == sense)).any()]
        z = [_moved(seen, pushed, counting == sense, sense) for sense in used]
        from scipy.stats import norm

        p = [float(2 * norm.sf(abs(each))) for each in z]
        label = SELECTED if min(p) * len(p) < self.level else GATED
        return Finding({"label": label}, notes={**notes, "moved": z, "p": min(1.0, min(p) * len(p))})


def _counting(session: Session) -> np.ndarray:
    """(trial,) the sense that counts in a session of three features, the last of them the context."""
    if session.stimulus is None:
        return np.zeros(session.trials, dtype=int)
    return np.where(np.nan_to_num(session.stimulus.values[:, :, 2]).mean(axis=1) > 0, 0, 1)


def _moved(seen: xr.Dataset, pushed: np.ndarray, mine: np.ndarray, sense: int) -> float:
    """By how many standard errors pushes moved the report at the trial's end, beyond what was shown of the sense."""
    report = seen["behaviour"].values[mine, :, 0].astype(float)
    late = report[:, -max(1, report.shape[1] // 10) :].mean(axis=1)
    shown = np.nanmean(seen["stimulus"].values[mine, :, sense].astype(float), axis=1)
    design = np.column_stack([pushed[mine].astype(float), shown, shown**3, np.ones(len(late))])
    weights = np.linalg.lstsq(design, late, rcond=None)[0]
    freedom = max(len(late) - design.shape[1], 1)
    spread = ((late - design @ weights) ** 2).sum() / freedom
    error = np.sqrt(spread * np.linalg.pinv(design.T @ design)[0, 0])
    return float(weights[0] / max(error, 1e-12))
