"""Cooling: a plate or a loop on the tissue, whose cold weakens synapses and, where it is deepest, silences cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from simlab.instruments.stimulating.aiming import Tissue, refuse
from simlab.instruments.stimulating.cold import Q10, SILENT_BELOW, cold_effects
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Distance
from simlab.session import Effect, Perturbation

STEPS_PER_TIME_CONSTANT, MOST_STEPS, SPAN = 10, 200, 5
"""A change of temperature is followed in so many steps per time constant, at most so many, and over so many time
constants, after which less than 1% of it is left."""


@dataclass(frozen=True)
class Cooling:
    """Lowers the temperature of a region, or of the tissue around the target units.

    With a depth A of cooling (the strength [K]), a neuron at a distance d from what is cooled becomes colder by

        dT(t) = A exp(-d / spread) (1 - exp(-(t - start) / tau))  until stop, then falls back with the same tau,

    and, if the window begins with the trial, by A exp(-d / spread) at once: the cooler had been on before. The synapses
    that it makes are weakened by q10^(-dT / 10), and below `silent_below` it gets a silencing current
    (`simlab.perturbations.SILENCE_CURRENT`). What cold does besides (slower channels and spikes, some depolarisation
    at moderate temperatures) is left out. d is 0 in a region, and within `radius` of a unit's place. Cold kills, clamps
    and excites nothing: kind `cool` alone.
    """

    name: ClassVar[str] = "cooling"

    radius: Annotated[float, Within(0, 0.02, "m")] = 0.5e-3
    """What a probe cools evenly [m]: about half a millimetre of metal (assumed)."""

    spread: Distance = 3e-3
    """Distance over which the cooling falls to 1/e [m]. In perfused tissue it is sqrt(k / (w rho c)): 3 to 4 mm with
    k = 0.5 W/m/K, a perfusion w of 0.01 /s and rho c = 4 MJ/m^3/K (Pennes' equation; values from memory). Deactivation
    by cooling reaches some 2 to 4 mm (Lomber, Payne & Horel 1999; Ponce et al. 2008; from memory)."""

    time_constant: Annotated[float, Within(0.1, 1000, "s")] = 1.0
    """Of warming and cooling [s]: heat diffuses 0.4 mm in that time; large loops take minutes (assumed)."""

    q10: Annotated[float, Within(1, 5)] = Q10
    """Factor by which synapses weaken for 10 K [1]. Fewer quanta are released the colder it is, from 36 to 13 degrees C
    (Hardingham & Larkman 1998, J Physiol 507:249); the figure of 2 is assumed."""

    silent_below: Annotated[float, Within(0, 37, "degrees C")] = SILENT_BELOW
    """Temperature below which cells are silent [degrees C]: cortex colder than 20 is (Jasper et al. 1970; Lomber et al.
    1999). Cooling by a few K slows without silencing (Long & Fee 2008: HVC of zebra finches)."""

    def __post_init__(self) -> None:
        check_fields(self)

    def install(self, anatomy: xr.Dataset, key: xr.DataArray, rng: np.random.Generator) -> Cooler:
        """Looks up where cells, units and regions lie; nothing is drawn."""
        return Cooler(self, Tissue.of(anatomy, key))


@dataclass(frozen=True, eq=False)
class Cooler:
    """The cooler beside one implant."""

    model: Cooling
    tissue: Tissue

    def aim(self, perturbation: Perturbation) -> tuple[Effect, ...]:
        """Gains while it cools and while it warms up again, and currents where cells fall silent.

        Raises SimlabError for a target outside the implant's units, an unknown region, and any kind but `cool`.
        """
        refuse("cooling", perturbation, ("cool",), "it lowers the temperature and nothing else; use another stimulator")
        beyond = self.tissue.beyond(perturbation, self.model.radius)
        depth = perturbation.strength * np.exp(-beyond / self.model.spread)
        cold = self._while_on(perturbation)
        tau = self.model.time_constant
        reached = 1.0 if perturbation.start == 0 else -np.expm1(-(perturbation.stop - perturbation.start) / tau)
        warming = reached * _means(SPAN * tau, SPAN * STEPS_PER_TIME_CONSTANT, tau)
        on, after = (perturbation.start, perturbation.stop), (perturbation.stop, perturbation.stop + SPAN * tau)
        return self._effects(np.outer(cold, depth), on, perturbation) + self._effects(
            np.outer(warming, depth), after, perturbation
        )

    def _while_on(self, perturbation: Perturbation) -> np.ndarray:
        """(step,) the share of its depth that the cooling has reached, the mean over each step of the window."""
        length, tau = perturbation.stop - perturbation.start, self.model.time_constant
        if perturbation.start == 0:
            return np.ones(1)
        steps = int(np.clip(length / tau * STEPS_PER_TIME_CONSTANT, 1, MOST_STEPS))
        return 1 - _means(length, steps, tau)

    def _effects(
        self, degrees: np.ndarray, window: tuple[float, float], perturbation: Perturbation
    ) -> tuple[Effect, ...]:
        return cold_effects(degrees, window, perturbation.trials, self.model.q10, self.model.silent_below)


def _means(length: float, steps: int, tau: float) -> np.ndarray:
    """(step,) the mean of exp(-t / tau) over each of so many steps of a length [s]."""
    width = length / steps / tau
    return np.exp(-width * np.arange(steps)) * -np.expm1(-width) / width
