"""Two-photon optogenetics: a hologram of small spots, each about the size of a cell, on a few cells at a time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import SimlabError
from simlab.instruments.stimulating.aiming import Tissue, check_targets, distinct, refuse, within
from simlab.instruments.stimulating.opsin import expressed
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Count, Distance, Share
from simlab.session import Effect, Perturbation

HALF = 4 * np.log(2)
"""exp(-HALF x^2) is one half at x = 1/2: a Gaussian whose full width at half maximum is 1."""


@dataclass(frozen=True)
class TwoPhotonOptogenetics:
    """A spot on each target unit, or on each cell of a region, all at once: `most_targets` of them at most.

    A neuron that lies r across and z along the beam (the axis z of the tissue) from a spot gets the strength x its
    opsin x exp(-4 ln 2 (r^2 / lateral^2 + z^2 / axial^2)); light of several spots adds up, so that neighbours above and
    below a target are driven too. A pulse at a spot fails with probability `failures`, on each trial and at each spot
    apart. Which do is a function of the install, the spot, the trial's number and the start of the pulse: asked again,
    the same ones fail. Light stimulates or silences, as in `optogenetics`.
    """

    name: ClassVar[str] = "two_photon_optogenetics"

    lateral: Distance = 15e-6
    """Full width at half maximum of the response across the beam [m]: about a soma (Packer et al. 2015; Mardinly et al.
    2018; from memory)."""

    axial: Distance = 35e-6
    """The same along the beam [m]: some 30 to 50 um (Pegard et al. 2017; Mardinly et al. 2018; from memory)."""

    most_targets: Count = 50
    """Spots at once: up to 50 neurons in 550 x 550 x 100 um^3 (Mardinly et al. 2018, Nat Neurosci 21:881)."""

    expression: Share = 0.8
    """Probability that a neuron expresses the opsin [1] (assumed; viral labelling ranges from 0.5 to 0.9)."""

    expression_spread: Annotated[float, Within(0, 10)] = 0.3
    """Coefficient of variation of the opsin's amount among the neurons that express it, log-normal [1] (assumed)."""

    cell_types: tuple[str, ...] = ()
    """Cell types whose promoter drives the opsin; empty means all."""

    off_target: Share = 0.0
    """Probability that a neuron of any other type expresses it [1]."""

    failures: Share = 0.1
    """Probability that a pulse at a spot does nothing on a trial [1]: movement, a spot beside its cell (assumed)."""

    def __post_init__(self) -> None:
        check_fields(self)

    def install(self, anatomy: xr.Dataset, key: xr.DataArray, rng: np.random.Generator) -> Hologram:
        """Draws who expresses how much, and what decides on failures, once for all sessions."""
        amount = expressed(
            self.name,
            anatomy,
            rng,
            expression=self.expression,
            spread=self.expression_spread,
            promoter=self.cell_types,
            off_target=self.off_target,
        )
        return Hologram(self, Tissue.of(anatomy, key), amount, int(rng.integers(2**63)))


@dataclass(frozen=True, eq=False)
class Hologram:
    """The light path beside one implant. `by_trial`: the rig names the trials of each perturbation."""

    by_trial: ClassVar[bool] = True

    model: TwoPhotonOptogenetics
    tissue: Tissue
    amount: np.ndarray  # (neuron,) opsin expressed
    luck: int  # decides which pulses fail

    def aim(self, perturbation: Perturbation) -> tuple[Effect, ...]:
        """The drive of each spot, on the trials on which it does not fail.

        Raises SimlabError for a target outside the implant's units, an unknown region, too many spots, trials that are
        not named where pulses fail, and kinds that light cannot do.
        """
        model = self.model
        refuse(model.name, perturbation, ("stimulate", "silence"), "light sets no firing rate and changes no synapse")
        spots = self._spots(perturbation)
        if len(spots) > model.most_targets:
            raise SimlabError(
                f"{model.name}: a hologram has at most {model.most_targets} spots, got {len(spots)} targets: "
                "aim at fewer, or one after another"
            )
        reached = {number: self._light(place) * self.amount for number, place in spots.items()}
        if not model.failures:
            return (perturbation.effect(np.sum(list(reached.values()), axis=0)),)
        lit = [self._where_it_works(perturbation, number, reach) for number, reach in reached.items()]
        return tuple(effect for effect in lit if effect) or (perturbation.effect(np.zeros(len(self.amount))),)

    def _spots(self, perturbation: Perturbation) -> dict[int, np.ndarray]:
        """The places (3,) [m] of the spots, by the number of the unit; of a cell of a region, beyond those of units."""
        place, position = self.tissue.place, self.tissue.position
        check_targets(perturbation, len(place))
        if not perturbation.region:
            return {unit: place[unit] for unit in distinct(perturbation.targets)}
        here = np.flatnonzero(within(perturbation.region, self.tissue.region))
        return {len(place) + int(cell): position[cell] for cell in here}

    def _light(self, spot: np.ndarray) -> np.ndarray:
        """(neuron,) the light of a spot (3,) [m] on each neuron, 1 at its centre; 0 from a spot that is nowhere."""
        x, y, z = (self.tissue.position - spot).T
        light = np.exp(-HALF * ((x**2 + y**2) / self.model.lateral**2 + z**2 / self.model.axial**2))
        return np.nan_to_num(light)

    def _where_it_works(self, perturbation: Perturbation, spot: int, reach: np.ndarray) -> Effect | None:
        """The drive of one spot on those trials on which its pulse works; None where it fails on all."""
        if perturbation.trials is None:
            raise SimlabError(
                f"{self.model.name}: which pulses fail is drawn for each trial, got trials=None: name the trials"
            )
        chance = np.random.default_rng([self.luck, spot, round(perturbation.start * 1e6)])
        fails = chance.random(max(perturbation.trials) + 1) < self.model.failures
        works = tuple(trial for trial in perturbation.trials if not fails[trial])
        return replace(perturbation, trials=works).effect(reach) if works else None
