"""Modules of a wiring diagram: spectral clustering of who contacts whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.assemblies._partitions import spectral_groups
from simlab.contracts import CONNECTOME, Finding, Needs
from simlab.rules import Within, check_fields


@dataclass(frozen=True)
class ConnectomeCommunities:
    """Spectral clustering of contacts in either direction, into as many groups as the largest gap of eigenvalues says.

    The normalised Laplacian of A + A' (Ng, Jordan & Weiss 2002, NIPS 14; k-means by SciPy); the number is where the gap
    between successive eigenvalues is greatest (von Luxburg 2007, Stat Comput 17:395), at most `most_groups`.
    Connectomes are divided into modules so, or by block models, as in Jonas & Kording 2017. Needs a connectome.
    Cost: n^3.
    """

    name: ClassVar[str] = "connectome_communities"
    question: ClassVar[str] = "assemblies"
    family: ClassVar[str] = "connectomics"
    library: ClassVar[str] = "scipy"
    needs: ClassVar[Needs] = Needs((CONNECTOME,), units=3)

    most_groups: Annotated[int, Within(2, 1000)] = 30

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The notes give the number of groups; units without a contact are groups of their own."""
        contacts = recording["contacts"].values.astype(float)
        tied = contacts + contacts.T
        np.fill_diagonal(tied, 0.0)
        degree = tied.sum(axis=1)
        linked = np.flatnonzero(degree > 0)
        group = np.arange(len(tied)) + len(tied)
        if len(linked) < 4:
            return Finding.abstain(f"{len(linked)} units make or get a contact: too few to divide")
        inside = tied[np.ix_(linked, linked)]
        group[linked], n_groups = spectral_groups(inside, self.most_groups, rng)
        return Finding({"group": group}, notes={"groups": n_groups})
