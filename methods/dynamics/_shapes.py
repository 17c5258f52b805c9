"""From directions in which the past lasts to the name of a regime."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from methods.dynamics._slow_space import SlowSpace
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Share


@dataclass(frozen=True)
class Shapes:
    """Where the limits between shapes are put."""

    round_below: Annotated[float, Within(0, 1)] = 0.25  # coefficient of variation of a ring's radius; of a disc's: .35
    split_above: Share = 0.9  # share of variance between two clusters; of an even spread: .75, of a circle's shadow .81

    def __post_init__(self) -> None:
        check_fields(self)

    def name(self, space: SlowSpace, delay: float) -> tuple[str, str]:
        """The regime of a continuum or set of states seen for `delay` [s], or an empty name and why there is none."""
        if space.n_slow == 0:
            return "", "no direction in which the past lasts"
        if space.n_slow >= 2 and space.frequencies[0] * delay > 1 and space.time_constants[0] > delay:
            return "limit cycle", ""
        if space.time_constants[0] < delay:
            return "fixed point", ""
        if space.n_slow == 1:
            return ("bistable" if space.split > self.split_above else "line attractor"), ""
        if space.roundness < self.round_below:
            return "ring attractor", ""
        if space.split > self.split_above:
            return "bistable", ""
        return "", f"{space.n_slow} directions last, and the states there form no ring"
