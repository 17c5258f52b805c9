"""Optogenetics: light that spreads, on cells of which not all express the opsin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import SimlabError
from simlab.instruments.placement import positions
from simlab.instruments.stimulating.aiming import check_targets, distances, regions, unit_places, within
from simlab.instruments.stimulating.opsin import expressed
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Distance, Share
from simlab.session import Effect, Perturbation

REBOUND_STEPS, REBOUND_SPAN = 50, 5
"""A rebound is followed in so many steps over so many of its time constants, when less than 1% of it is left."""


@dataclass(frozen=True)
class Optogenetics:
    """A spot of light on each target unit, scattered into the tissue around it.

    A neuron gets the commanded strength x the light that reaches it x its expression of opsin. Light of several
    spots adds up. Excitatory and inhibitory opsin are expressed together, so the same neurons can be stimulated
    and silenced; none can be clamped, and light cuts no synapse. The photocurrent is taken as linear in light. Aimed
    at a region, light floods it: every neuron there gets full light. After a silencing light a neuron may rebound: a
    depolarising current that decays exponentially from light-off on.
    """

    name: ClassVar[str] = "optogenetics"

    spot_radius: Annotated[float, Within(0, 0.02, "m")] = 10e-6
    """Radius within which the light is at full strength [m]: about a soma (as in patterned illumination)."""

    scattering_length: Distance = 47e-6
    """Distance beyond the spot over which light falls to 1/e [m]: 47 um in mouse cortex at 473 nm (Yona et al. 2016);
    effective attenuation over 50 to 100 um in other areas (Al-Juboori et al. 2013)."""

    expression: Share = 0.8
    """Probability that a neuron expresses the opsin [1] (assumed; viral labelling ranges from 0.5 to 0.9)."""

    expression_spread: Annotated[float, Within(0, 10)] = 0.3
    """Coefficient of variation of the opsin's amount among the neurons that express it, log-normal [1] (assumed)."""

    cell_types: tuple[str, ...] = ()
    """Cell types whose promoter drives the opsin, e.g. ("E",) for CaMKII; empty means all."""

    off_target: Share = 0.0
    """Probability that a neuron of any other type expresses it too [1]: promoters leak."""

    rebound: Annotated[float, Within(0, 100)] = 0.0
    """Depolarising current after silencing light, as a share of the silencing current [1]; 0 is none (assumed)."""

    rebound_time_constant: Annotated[float, Within(1e-4, 10, "s")] = 50e-3
    """Time in which the rebound falls to 1/e [s] (assumed)."""

    def __post_init__(self) -> None:
        check_fields(self)

    def install(self, anatomy: xr.Dataset, key: xr.DataArray, rng: np.random.Generator) -> Light:
        """Draws who expresses how much, once for all sessions, and aims a spot at each unit's place.

        A unit's place is the mean position of its neurons, weighted by the key (unit, neuron).
        """
        amount = expressed(
            self.name,
            anatomy,
            rng,
            expression=self.expression,
            spread=self.expression_spread,
            promoter=self.cell_types,
            off_target=self.off_target,
        )
        beyond = distances(unit_places(anatomy, key), positions(anatomy)) - self.spot_radius
        light = np.exp(-np.maximum(beyond, 0) / self.scattering_length)
        return Light(light, amount, regions(anatomy), self.rebound, self.rebound_time_constant)


@dataclass(frozen=True, eq=False)
class Light:
    """The light path beside one implant."""

    light: np.ndarray  # (unit, neuron) light on the neuron from a spot on the unit, 1 at its centre
    amount: np.ndarray  # (neuron,) opsin expressed, mean 1 among those that do

    region: np.ndarray  # (neuron,) names
    rebound: float  # share of the silencing current
    rebound_time_constant: float  # s

    def aim(self, perturbation: Perturbation) -> tuple[Effect, ...]:
        """The drive from light on the target units or region, and the rebound that follows if it silenced.

        Raises SimlabError for a target outside the implant's units, an unknown region, and for `clamp` and `cut`, which
        light cannot do.
        """
        if perturbation.kind not in ("stimulate", "silence"):
            raise SimlabError(
                f"optogenetics can stimulate or silence, got kind={perturbation.kind!r}: light sets no firing rate and "
                "cuts no synapse; use the stimulator ideal"
            )
        if perturbation.region:
            reached = within(perturbation.region, self.region)
        else:
            check_targets(perturbation, len(self.light))
            reached = self.light[list(dict.fromkeys(perturbation.targets))].sum(axis=0)
        lit = perturbation.effect(reached * self.amount)
        return (lit, self._after(lit)) if perturbation.kind == "silence" and self.rebound else (lit,)

    def _after(self, silenced: Effect) -> Effect:
        """The rebound from light-off on; each step is the mean of the decaying current over it."""
        width = REBOUND_SPAN / REBOUND_STEPS  # time constants
        decay = np.exp(-width * np.arange(REBOUND_STEPS)) * -np.expm1(-width) / width
        stop = silenced.stop + REBOUND_SPAN * self.rebound_time_constant
        values = decay[:, None] * -self.rebound * silenced.values
        return Effect("drive", values, silenced.stop, stop, silenced.trials)
