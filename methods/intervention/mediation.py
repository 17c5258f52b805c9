"""Mediation: through which units does the condition act on the behaviour?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import xarray as xr

from methods.intervention._predictors import PREDICTED, Samples, samples
from methods.intervention._silencing import discoveries
from simlab.contracts import Finding, Needs
from simlab.rules import check_fields
from simlab.rules.quantities import Level, Repeats


@dataclass(frozen=True)
class Mediation:
    """Indirect effect of a condition through a unit = (what it does to the unit) x (what the unit does to behaviour).

        unit_i = .. + a_i [condition k],   behaviour = .. + c_k [condition k] + sum_i b_i unit_i,   effect_i = a_i b_i

    The product of coefficients (Baron & Kenny 1986, J Pers Soc Psychol 51:1173; several mediators at once: Preacher &
    Hayes 2008, Behav Res Methods 40:879; jointly=False: one by one), each condition against the first. p comes from a
    bootstrap of trials within conditions, is multiplied by the number of contrasts, and units are decided at a false
    discovery rate `alpha`; importance is the largest effect. That b is causal is assumed, not tested: an effect of the
    behaviour that the condition moves as well passes for a mediator (Bullock, Green & Ha 2010, J Pers Soc Psychol
    98:550).
    """

    name: ClassVar[str] = "mediation"
    question: ClassVar[str] = "necessity"
    family: ClassVar[str] = "regression"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = replace(PREDICTED, conditions=True)

    alpha: Level = 0.05
    jointly: bool = True
    resamples: Repeats = 1000

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The notes give the effect through each unit of each condition (condition, unit)."""
        seen = samples(recording)
        if isinstance(seen, Finding):
            return seen
        names, codes = np.unique(seen.condition, return_inverse=True)
        if len(names) < 2:
            return Finding.abstain("all trials have one condition: nothing is there to be mediated")
        if np.bincount(codes).min() < seen.n_units + 3:
            return Finding.abstain(f"a condition has fewer than {seen.n_units + 3} trials: too few for a bootstrap")
        effect = self._effects(seen, codes)
        drawn = np.stack([self._effects(*_resampled(seen, codes, rng)) for _ in range(self.resamples)])
        beyond = np.minimum((drawn <= 0).sum(axis=0), (drawn >= 0).sum(axis=0))
        p = np.minimum(2 * (beyond + 1) / (self.resamples + 1) * len(effect), 1.0).min(axis=0)
        estimate = {"importance": np.abs(effect).max(axis=0), "decided": discoveries(p, self.alpha)}
        return Finding(estimate, notes={"effect": effect, "p": p})

    def _effects(self, seen: Samples, codes: np.ndarray) -> np.ndarray:
        """(condition after the first, unit); b is the slope within conditions (Frisch & Waugh 1933)."""
        member = (codes[:, None] == np.arange(codes.max() + 1)).astype(float)
        share = member / member.sum(axis=0)
        mean = share.T @ seen.units
        units, behaviour = seen.units - mean[codes], seen.behaviour - (share.T @ seen.behaviour)[codes]
        product, power = units.T @ behaviour, units.T @ units
        if self.jointly:
            return (mean[1:] - mean[0]) * (np.linalg.pinv(power) @ product)
        own = np.diag(power)
        return (mean[1:] - mean[0]) * np.divide(product, own, out=np.zeros_like(own), where=own > 0)


def _resampled(seen: Samples, codes: np.ndarray, rng: np.random.Generator) -> tuple[Samples, np.ndarray]:
    """Trials drawn with replacement, as many of each condition as there are."""
    order = np.argsort(codes, kind="stable")
    size = np.bincount(codes)
    first = np.repeat(np.cumsum(size) - size, size)
    drawn = order[first + (rng.random(len(codes)) * np.repeat(size, size)).astype(int)]
    return Samples(seen.units[drawn], seen.behaviour[drawn], seen.condition[drawn]), codes[drawn]
