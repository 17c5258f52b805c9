"""Causes of a behaviour among its correlates, recorded in several environments, none of which touches the behaviour."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

import numpy as np

from circuits.causal.linear_paths import TISSUE, Baseline, Gain, LinearSubject, Model
from simlab.coalitions import MOST_PARTS
from simlab.rules import Within, check_fields, require

Few = Annotated[int, Within(0, MOST_PARTS)]
Amount = Annotated[float, Within(0, 10)]

MOST_ENVIRONMENTS = 64
"""Drawn for each subject, of which a circuit has the first few: with more of them the others stay what they were."""

WEIGHT = (0.7, 1.3)
"""Sizes of all weights, uniform, with a random sign (assumed)."""

WIDER = 0.5
"""An environment multiplies the noise of a unit by 1 to 1 + WIDER x shift."""


@dataclass(frozen=True)
class InvariantCauses:
    """A behaviour y with causes, effects and bystanders among the recorded units, in environments that shift the units.

        z_P = n_P,   y = sum_P b_P z_P + behaviour_noise xi,   z_C = c y + n_C,   z_S = d z_P + n_S,   z_B = n_B
        n_i ~ N(m_i(e), s_i(e)^2) in environment e

    `causes` P drive the behaviour; `effects` C hear of it, as much of cortex does of movement (Musall et al. 2019, Nat
    Neurosci 22:1677; Stringer et al. 2019, Science 364:255); `siblings` S follow a cause each; `bystanders` B know
    nothing. Environment 0 has m = 0 and s the unit's own (1; `effect_noise` for C). Every other one adds to each unit a
    mean of `shift` x 0.5..1.5 of its s, up or down, and widens s (`WIDER`). The structural equation of y is the same in
    all environments and no other set of predictors has that property, so that its causes are those units given which
    y is invariant (Peters, Buehlmann & Meinshausen 2016, J R Stat Soc B 78:947). With shift 0 environments differ in
    nothing and nobody can know; `behaviour_shift` shifts y itself, which breaks the assumption. Conditions of the task
    are environments (states, contexts, sites); each trial draws its noise once.

    The truth is what interventions do: in the game of `necessity` a unit is taken out by holding it at its baseline,
    and the outcome is whether y has the sign that its causes call for. Only causes matter, whoever correlates with y.
    """

    name: ClassVar[str] = "invariant_causes"
    mechanism: ClassVar[str] = "causes among correlates"
    questions: ClassVar[tuple[str, ...]] = ("necessity", "circuit", "connectivity")
    modalities: ClassVar[tuple[str, ...]] = ("rate",)

    causes: Annotated[int, Within(1, MOST_PARTS)] = 2
    effects: Few = 2
    siblings: Few = 1
    bystanders: Few = 1
    environments: Annotated[int, Within(1, MOST_ENVIRONMENTS)] = 3
    shift: Amount = 1.0  # of the units' means, in their standard deviations (assumed)
    behaviour_noise: Amount = 0.7  # standard deviation, that of a cause being 1
    effect_noise: Annotated[float, Within(0.01, 10)] = 0.7
    behaviour_shift: Amount = 0.0
    baseline: Baseline = 40.0  # Hz
    gain: Gain = 2.0  # Hz per unit of z: deviations of 3 standard deviations stay above 0 Hz

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            self.n_units <= MOST_PARTS,
            f"causes, effects, siblings and bystanders are {MOST_PARTS} at most together, got {self.causes}, "
            f"{self.effects}, {self.siblings} and {self.bystanders}: all sets of them are enumerated",
        )

    @property
    def n_units(self) -> int:
        """Of all kinds."""
        return self.causes + self.effects + self.siblings + self.bystanders

    def prior(self, rng: np.random.Generator) -> InvariantCauses:
        """One to three causes, one to three effects, up to two of the others; noise and shift as they come."""
        causes, effects = (int(n) for n in rng.integers(1, 4, 2))
        siblings, bystanders = (int(n) for n in rng.integers(0, 3, 2))
        return replace(
            self, causes=causes, effects=effects, siblings=siblings, bystanders=bystanders,
            shift=float(rng.uniform(0.5, 2)), behaviour_noise=float(rng.uniform(0.4, 1)),
        )  # fmt: skip

    def subject(self, rng: np.random.Generator) -> LinearSubject:
        """One animal: its weights, its environments, where its units lie. Causes come first, then effects, siblings."""
        n = self.n_units
        size, sign = rng.uniform(*WEIGHT, n), rng.choice([-1.0, 1.0], n)
        moved = rng.uniform(0.5, 1.5, (MOST_ENVIRONMENTS, n + 1)) * rng.choice([-1.0, 1.0], (MOST_ENVIRONMENTS, n + 1))
        wider = rng.uniform(0, 1, (MOST_ENVIRONMENTS, n + 1))
        tissue = rng.uniform(0, TISSUE, (n, 3))
        noise = np.ones(n + 1)
        noise[self.causes : self.causes + self.effects] = self.effect_noise
        noise[n] = self.behaviour_noise
        shift = np.append(np.full(n, self.shift), self.behaviour_shift)
        mean = (moved * shift * np.where(noise > 0, noise, 1.0))[: self.environments]
        scale = (1 + WIDER * wider * shift)[: self.environments]
        mean[0], scale[0] = 0.0, 1.0
        weights = self._weights(size * sign)
        return LinearSubject(
            self.name, Model(weights, np.zeros(n), noise, mean, scale, self.baseline, self.gain), tissue
        )

    def _weights(self, value: np.ndarray) -> np.ndarray:
        """W (pre, post), the behaviour last, from one value for each unit (unit,)."""
        n, unit = self.n_units, np.arange(self.n_units)
        kind = np.searchsorted(np.cumsum([self.causes, self.effects, self.siblings]), unit, side="right")
        weights = np.zeros((n + 1, n + 1))
        weights[unit[kind == 0], n] = value[kind == 0]
        weights[n, unit[kind == 1]] = value[kind == 1]
        for place, sibling in enumerate(unit[kind == 2]):
            weights[place % self.causes, sibling] = value[sibling]
        return weights
