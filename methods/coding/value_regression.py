"""Value neurons by regression: what most papers on values did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.coding._regression import NEEDS, named, t_values
from methods.coding._values import seen
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields


@dataclass(frozen=True)
class ValueRegression:
    """Counts of each trial regressed on all candidate variables; a unit codes the one whose |t| exceeds `threshold`.

    A unit in which several do is called `none`, as it codes something else (a policy, the value of the state). Values
    of actions are those of the Q-learner that explains the choices best (Samejima et al. 2005, Science 310:1337; Lau &
    Glimcher 2008). t takes trials for independent: where rates drift, it finds values in anything (Elber-Dorozko &
    Loewenstein 2018, eLife 7:e34248). Cost: one least-squares fit.
    """

    name: ClassVar[str] = "value_regression"
    question: ClassVar[str] = "tuning"
    family: ClassVar[str] = "regression"
    library: ClassVar[str] = "numpy"
    needs: ClassVar[Needs] = NEEDS

    threshold: Annotated[float, Within(0, 100)] = 2.0

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Each unit's variable."""
        found = seen(recording, self.needs)
        if isinstance(found, Finding):
            return found
        t = t_values(found.counts, found.variables)
        return Finding({"variable": named(np.abs(t) > self.threshold, found.names)}, notes={"t": t.tolist()})
