"""Modules of a wiring diagram: spectral clustering of who contacts whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import CONNECTOME, Finding, Needs
from simlab.rules import Within, check_fields


@dataclass(frozen=True)
class ConnectomeCommunities:
    """Spectral clustering of contacts in either direction, into as many groups as the largest gap of eigenvalues says.

    The normalised Laplacian of A + A' (Ng, Jordan & Weiss 2002, NIPS 14; scikit-learn); the number is where the gap
    between successive eigenvalues is greatest (von Luxburg 2007, Stat Comput 17:395), at most `most_groups`.
    Connectomes are divided into modules so, or by block models, as in Jonas & Kording 2017. Needs a connectome.
    Cost: n^3.
    """

    name: ClassVar[str] = "connectome_communities"
    question: ClassVar[str] = "assemblies"
    family: ClassVar[str] = "connectomics"
    library: ClassVar[str] = "scikit-learn"
    needs: ClassVar[Needs] = Needs((CONNECTOME,), units=3)

    most_groups: Annotated[int, Within(2, 1000)] = 30

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The notes give the number of groups; units without a contact are groups of their own."""
        from sklearn.cluster import SpectralClustering

        contacts = recording["contacts"].values.astype(float)
        tied = contacts + contacts.T
        np.fill_diagonal(tied, 0.0)
        degree = tied.sum(axis=1)
        linked = np.flatnonzero(degree > 0)
        group = np.arange(len(tied)) + len(tied)
        if len(linked) < 4:
            return Finding.abstain(f"{len(linked)} units make or get a contact: too few to divide")
        inside = tied[np.ix_(linked, linked)]
        scale = 1 / np.sqrt(degree[linked])
        values = np.linalg.eigvalsh(np.eye(len(linked)) - scale[:, None] * inside * scale[None])
        most = min(self.most_groups, len(linked) - 1)
        n_groups = int(np.diff(values[: most + 1])[1:].argmax()) + 2 if most >= 2 else 1
        spectral = SpectralClustering(n_groups, affinity="precomputed", random_state=int(rng.integers(2**31)))
        group[linked] = spectral.fit_predict(inside + 1e-9)
        return Finding({"group": group}, notes={"groups": n_groups})
