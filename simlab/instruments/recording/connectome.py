"""Electron microscopy of a block of tissue: who contacts whom, without weights, and with what reconstruction loses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import CONNECTOME, Needs
from simlab.data import recording
from simlab.instruments.placement import (
    check_same_subject,
    make_key,
    positions,
    require,
    unit_table,
    unit_variables,
)
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Count, Distance, Share


@dataclass(frozen=True)
class Connectome:
    """Counts of synapses `contacts` (pre, post) among the neurons of a block, each neuron a unit; no sign, no weight.

    A neuron's arbours have `branches` pieces each, its synapses being spread over them at random. From m true contacts

        seen ~ Binomial(m', recall),   m' those whose axonal and whose dendritic piece are attached to their somata

    where an axon's piece is attached with probability `axon_completeness`, a dendrite's with `dendrite_completeness`
    (splits: an orphan piece belongs to no unit). False synapses fall on ordered pairs of units at random, so many that
    true ones are the share `precision` of all that are seen. A share `split` of the neurons come out as two units, each
    contact with one of them; a share `merged` of the units swallow their nearest neighbour.

    All of it is drawn when the block is cut, once for all sessions: the tissue is dead. Trials are as long as those of
    the session and hold nothing. Needs a circuit whose anatomy states its contacts.
    """

    name: ClassVar[str] = "connectome"
    needs: ClassVar[Needs] = Needs((CONNECTOME,))

    n_units: Count | None = None
    """How many neurons are reconstructed, drawn at random among those in the block [1]; None is all of them."""

    edge: Distance | None = None
    """Edge of the cube that is cut, at a random place of the tissue [m]: 1 mm in MICrONS; None is all of the tissue."""

    spread: Distance = 60e-6
    """Standard deviation of a synapse's place about the postsynaptic soma, each way [m] (assumed: basal dendrites reach
    some 150 um). With an `edge`, synapses outside of the block are not seen."""

    recall: Share = 0.89
    """Share of true synapses that are detected [1]: .89 in MICrONS (MICrONS Consortium 2025, from memory); .65 to .88
    with SynEM (Staffler et al. 2017, eLife 6:e26414, table 3)."""

    precision: Annotated[float, Within(0.01, 1)] = 0.96
    """Share of detected synapses that are there [1]: .96 in MICrONS (ibid.); .82 to .99 with SynEM (ibid.)."""

    axon_completeness: Share = 0.94
    """Share of presynaptic sites that are attached to their neuron [1]: .937 in the fly after proofreading (Dorkenwald
    et al. 2024, from memory); less in a cubic millimetre of cortex, whose axons leave it."""

    dendrite_completeness: Share = 0.95
    """The same of postsynaptic sites [1] (assumed: cortical dendrites are thick, their spines mostly attached; in the
    fly, whose twigs are thin, it is .447, ibid.)."""

    branches: Count = 8
    """Pieces of each arbour that are lost or kept as a whole [1] (assumed)."""

    split: Share = 0.0
    """Share of neurons that are taken for two [1]: next to none after proofreading, most of them before (assumed)."""

    merged: Share = 0.0
    """Share of units that hold a second neuron [1]: next to none after proofreading (assumed)."""

    counts: bool = True
    """Whether synapses are counted; otherwise contacts are 1 or 0."""

    def __post_init__(self) -> None:
        check_fields(self)

    def implant(self, anatomy: xr.Dataset, rng: np.random.Generator) -> Block:
        """Cuts, images and reconstructs the block; raises SimlabError without contacts or with too few neurons."""
        require(
            "contacts" in anatomy,
            "connectome: the anatomy must state the contacts among neurons, got none: record a circuit that states "
            "them, such as balanced_ei, or give simlab.data.anatomy its contacts",
        )
        place = positions(anatomy)
        low, high = self._block(place, rng)
        inside = np.flatnonzero(((place >= low) & (place <= high)).all(axis=1))
        wanted = len(inside) if self.n_units is None else self.n_units
        require(
            1 <= wanted <= len(inside),
            f"connectome: n_units must be 1..{len(inside)}, the neurons whose somata lie in the block, got {wanted}: "
            "ask for fewer, or cut a larger edge",
        )
        chosen = inside if self.n_units is None else rng.permutation(inside)[:wanted]
        contacts = anatomy["contacts"].values
        synapses = self._detected(contacts, place, (low, high), rng)
        owners = self._units(chosen, place, rng)
        seen = self._assembled(synapses, owners, rng)
        return Block(seen if self.counts else np.minimum(seen, 1), *_identities(owners, place, contacts))

    def _block(self, place: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Lowest and highest corner of what is cut [m]."""
        low, high = place.min(axis=0), place.max(axis=0)
        if self.edge is None:
            return np.full(3, -np.inf), np.full(3, np.inf)
        corner = low + rng.random(3) * np.maximum(high - low - self.edge, 0)
        return corner, corner + self.edge

    def _detected(
        self, contacts: np.ndarray, place: np.ndarray, block: tuple[np.ndarray, np.ndarray], rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Pre and post neuron (synapse,) of each true synapse that is seen and attached at both ends."""
        n_neurons = len(contacts)
        pre, post = (np.repeat(index.ravel(), contacts.ravel()) for index in np.indices(contacts.shape))
        where = place[post] + rng.normal(0, self.spread, (len(post), 3))
        kept = ((where >= block[0]) & (where <= block[1])).all(axis=1)
        for neuron, completeness in ((pre, self.axon_completeness), (post, self.dendrite_completeness)):
            attached = rng.random((n_neurons, self.branches)) < completeness
            kept &= attached[neuron, rng.integers(self.branches, size=len(neuron))]
        kept &= rng.random(len(pre)) < self.recall
        return pre[kept], post[kept]

    def _units(self, chosen: np.ndarray, place: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
        """The neurons of each unit: one, of which a split one has two units, or two where they were merged."""
        twice = chosen[rng.random(len(chosen)) < self.split]
        units = [np.array([neuron]) for neuron in (*chosen, *twice)]
        apart = np.array([neurons[0] for neurons in units])
        free = np.ones(len(units), dtype=bool)
        for unit in np.flatnonzero(rng.random(len(units)) < self.merged):
            others = np.flatnonzero(free & (apart != apart[unit]))
            if not free[unit] or not len(others):
                continue
            nearest = others[np.linalg.norm(place[apart[others]] - place[apart[unit]], axis=1).argmin()]
            units[unit] = np.concatenate([units[unit], units[nearest]])
            free[[unit, nearest]] = False
            units[nearest] = units[nearest][:0]
        return [neurons for neurons in units if len(neurons)]

    def _assembled(
        self, synapses: tuple[np.ndarray, np.ndarray], owners: list[np.ndarray], rng: np.random.Generator
    ) -> np.ndarray:
        """(pre, post) synapses among units, false ones among them; those of a split neuron are dealt out at random."""
        n_units = len(owners)
        holders = _holders(owners, 1 + max(int(neurons.max(initial=0)) for neurons in (*synapses, *owners)))
        pre, post = (holders[neuron, rng.integers(2, size=len(neuron))] for neuron in synapses)
        known = (pre >= 0) & (post >= 0) & (pre != post)
        seen = np.bincount(pre[known] * n_units + post[known], minlength=n_units**2).reshape(n_units, n_units)
        n_false = seen.sum() * (1 - self.precision) / self.precision
        false = rng.poisson(n_false / max(n_units * (n_units - 1), 1), seen.shape)
        np.fill_diagonal(false, 0)
        return seen + false


def _holders(owners: list[np.ndarray], n_neurons: int) -> np.ndarray:
    """(neuron, 2) the units that hold a neuron's synapses: two where it was split, else one twice; -1 for none."""
    holders = np.full((n_neurons, 2), -1)
    for unit, neurons in enumerate(owners):
        for neuron in neurons:
            holders[neuron, int(holders[neuron, 0] >= 0)] = unit
    holders[:, 1] = np.where(holders[:, 1] < 0, holders[:, 0], holders[:, 1])
    return holders


def _identities(owners: list[np.ndarray], place: np.ndarray, contacts: np.ndarray) -> tuple[xr.DataArray, xr.Dataset]:
    """The key, by each neuron's part of its unit's true contacts, and where the units' somata are."""
    size = contacts.sum(axis=0) + contacts.sum(axis=1) + 1e-9
    share = np.zeros((len(owners), len(place)))
    for unit, neurons in enumerate(owners):
        share[unit, neurons] = size[neurons] / size[neurons].sum()
    return make_key(share), unit_table(np.stack([place[neurons].mean(axis=0) for neurons in owners]))


@dataclass(frozen=True, eq=False)
class Block:
    """The reconstruction of one subject's tissue."""

    contacts: np.ndarray  # (pre, post) over units
    key: xr.DataArray  # (unit, neuron)
    units: xr.Dataset  # unit_x, unit_y, unit_z [m] over unit

    def record(self, activity: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
        """The same contacts, whatever the session was."""
        check_same_subject(self.key, activity)
        return recording(
            duration=activity.attrs["duration"],
            n_units=len(self.contacts),
            n_trials=activity.sizes["trial"],
            contacts=self.contacts,
            **unit_variables(self.units),
        )
