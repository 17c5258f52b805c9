"""Units on the paths from where a connectome begins to where it ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import CONNECTOME, Finding, Needs
from simlab.rules import Within, check_fields


@dataclass(frozen=True)
class ConnectomePath:
    """The circuit = all units on any path from an input to an output; score: units that it lies between.

    Inputs are units that nobody contacts, outputs are units that contact nobody; where loops leave none, the groups of
    units that reach each other count as one (strong components). Score: the number of pairs (from, to) such that the
    unit lies on a way from one to the other, as a share of all pairs: a centrality. At least `min_contacts` synapses
    make a connection (Staffler et al. 2017, eLife 6:e26414). Cost: milliseconds.

    Anatomy is what could be used. Of paths that do the same it takes all, of paths that the behaviour does not take as
    well, and it knows of no behaviour (as for the processor of Jonas & Kording 2017, PLoS Comput Biol 13:e1005268).
    """

    name: ClassVar[str] = "connectome_path"
    question: ClassVar[str] = "circuit"
    family: ClassVar[str] = "anatomy"
    library: ClassVar[str] = "scipy"
    needs: ClassVar[Needs] = Needs((CONNECTOME,), units=2, equal_trials=False)

    min_contacts: Annotated[int, Within(1, 1000)] = 2
    """Synapses from which on a pair counts as connected [1]."""

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The units on paths; abstains where nobody contacts anybody."""
        if "contacts" not in recording:
            return Finding.abstain("the recording holds no contacts to read")
        wired = recording["contacts"].values >= self.min_contacts
        np.fill_diagonal(wired, False)
        if not wired.any():
            return Finding.abstain(f"no pair of units has {self.min_contacts} contacts: there is no path")
        leads = _reach(wired)
        first, last = _ends(wired)
        on_path = (
            (leads[first].any(axis=0) | first) & (leads[:, last].any(axis=1) | last) & (wired.any(0) | wired.any(1))
        )
        between = leads.sum(axis=0) * leads.sum(axis=1) / max(len(wired) - 1, 1) ** 2
        return Finding({"members": on_path, "score": between + on_path, "edges": wired & np.outer(on_path, on_path)})


def _reach(wired: np.ndarray) -> np.ndarray:
    """(from, to) bool: whether a way of one connection or more leads there."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import shortest_path

    steps = shortest_path(csr_array(wired.astype(float)), unweighted=True)
    leads = np.isfinite(steps) & (steps > 0)
    np.fill_diagonal(leads, (leads & leads.T).any(axis=1))
    return leads


def _ends(wired: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(unit,) bool: inputs and outputs, by strong components; units without any connection are neither."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    n_groups, group = connected_components(csr_array(wired.astype(float)), directed=True, connection="strong")
    outside = wired & (group[:, None] != group)
    contacted, contacts = np.zeros(n_groups, bool), np.zeros(n_groups, bool)
    contacted[group[outside.any(axis=0)]] = True
    contacts[group[outside.any(axis=1)]] = True
    alone = ~(wired.any(axis=0) | wired.any(axis=1))
    return ~contacted[group] & ~alone, ~contacts[group] & ~alone
