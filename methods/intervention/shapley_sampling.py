"""Multi-perturbation analysis by sampling: units join in random orders, or random sets are silenced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from methods.intervention._shapley import Design, error_of_mean, one_order, one_round, p_beyond
from methods.intervention._silencing import SCORED, Length, Silencer, Strength, discoveries, too_few
from simlab.contracts import Finding, Needs, Rig
from simlab.rules import check_fields
from simlab.rules.quantities import Level, Repeats

DESIGNS: dict[str, Callable[[int, np.random.Generator], Design]] = {"orders": one_order, "sets": one_round}


@dataclass(frozen=True)
class ShapleySampling:
    """Importance of a unit = mean over samples of what it adds, an unbiased estimate of its Shapley value.

    by="orders": each sample is a random order in which units, all silenced at first, are released one by one; one trial
    of each of the n + 1 sets (Keinan et al. 2004, Neural Comput 16:1887; Castro et al. 2009, Comput Oper Res 36:1726).
    by="sets": each sample is n random sets of every size, n (n + 1) trials, of which every one tells about every unit
    (strata by size, as in Kolpaczki et al. 2024, AAAI). Standard errors are over samples and hold both what differs
    between sets and the noise of trials; intervals are theirs at 95%. A unit is decided where its magnitude is beyond
    `negligible` (of the brief) of what all units add, at a false discovery rate of `alpha` (t; Benjamini & Hochberg
    1995).

    Cost: some n interventions per order. With few of them allowed, the same orders are tried again, which takes the
    noise of trials away and not that of the choice. It misses what is small beside its standard error.
    """

    name: ClassVar[str] = "shapley_sampling"
    question: ClassVar[str] = "necessity"
    family: ClassVar[str] = "multi-perturbation"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = SCORED

    by: Literal["orders", "sets"] = "orders"
    alpha: Level = 0.05
    most_samples: Repeats = 1000
    """If the budget allows."""
    fewest_samples: Repeats = 8
    """Without which it abstains."""
    duration: Length = 1.0
    strength: Strength = 1.0

    def __post_init__(self) -> None:
        check_fields(self)

    def investigate(self, rig: Rig, rng: np.random.Generator) -> Finding:
        """All samples, one after the other."""
        silencer = Silencer(rig, self.duration, self.strength)
        designs, repeats = self._plan(silencer, rng)
        fewest = max(self.fewest_samples, 2)
        if len(designs) < fewest:
            return too_few(rig, f"{fewest} samples of {silencer.n_units} units by {self.by}")
        intact = np.concatenate([design.intact for design in designs])
        sets, which = np.unique(~intact, axis=0, return_inverse=True)
        outcome = silencer.each(sets, np.tile(which.ravel(), repeats))
        if isinstance(outcome, Finding):
            return outcome
        achieved = outcome.reshape(repeats, len(designs), -1).mean(axis=0)
        samples = np.stack([d.weights @ v for d, v in zip(designs, achieved, strict=True)])
        return self._finding(samples, rig.brief.get("negligible", 0.0), repeats)

    def _plan(self, silencer: Silencer, rng: np.random.Generator) -> tuple[list[Design], int]:
        """Samples whose different sets the budget allows, and how often each of them is tried."""
        left, n = silencer.rig.remaining, silencer.n_units
        size = (n + 1) * (1 if self.by == "orders" else n)
        bought = min(
            left.trials / size, left.seconds / silencer.duration * (1 + 1e-9) / size, left.perturbations / size,
            self.most_samples,
        )  # fmt: skip
        designs: list[Design] = []
        known: set[bytes] = set()
        for _ in range(int(bought)):
            design = DESIGNS[self.by](n, rng)
            known |= {row.tobytes() for row in ~design.intact if row.any()}
            if len(known) > left.interventions:
                break
            designs.append(design)
        return designs, int(bought) // len(designs) if designs else 0

    def _finding(self, samples: np.ndarray, negligible: float, repeats: int) -> Finding:
        from scipy.stats import t

        value, error = samples.mean(axis=0), error_of_mean(samples)
        least = negligible * abs(float(value.sum()))
        p = p_beyond(value, error, least, len(samples) - 1)
        width = float(t.isf(0.025, len(samples) - 1)) * error
        notes = {
            "standard_error": error, "interval": np.stack([value - width, value + width]), "p": p,
            "samples": len(samples), "repeats": repeats,
        }  # fmt: skip
        return Finding({"importance": value, "decided": discoveries(p, self.alpha)}, notes=notes)
