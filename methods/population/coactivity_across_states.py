"""The verdict 'attractor' from who fires with whom: pairs that keep their correlation when the world is shut out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from methods.population._population import odds_of_significance, two_label_finding, unusable
from simlab.contracts import Finding, Needs
from simlab.data import signals
from simlab.rules import check_fields
from simlab.rules.quantities import Level, Repeats, Width


@dataclass(frozen=True)
class CoactivityAcrossStates:
    """Says attractor if correlations of pairs in one condition are found again in the other.

    Grid cells that fire together awake do so in sleep, where nothing tells them of a place; that is taken for recurrent
    synapses (Trettel et al. 2019; Gardner et al. 2019, Nat Neurosci 22:609 and 598; for head-direction cells Peyrache
    et al. 2015). Correlations of counts are compared over pairs, less each unit's own mean, so that a gain which all
    units share does not count; chance is what units exchanged among themselves give (Mantel 1967).

    What it takes for granted is that no common input goes on in sleep. Abstains without two conditions, and where not
    even halves of the first condition agree: then nothing could be found again.
    """

    name: ClassVar[str] = "coactivity_across_states"
    question: ClassVar[str] = "mechanism"
    family: ClassVar[str] = "noise correlation"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(units=8, trials=6, seconds=20.0, conditions=True)

    attractor: str = "torus attractor"
    rival: str = "feedforward"
    bin_width: Width = 0.25  # s, of spike counts: some spikes per field
    level: Level = 0.05
    n_permutations: Repeats = 500

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The verdict on a Recording; notes: agreement of both states and of halves of the first, with p-values."""
        refusal = unusable(recording, self.needs)
        if refusal is not None:
            return refusal
        values, condition = signals(recording, self.bin_width).values, recording["condition"].values
        kinds = np.unique(condition)
        if len(kinds) != 2 or min((condition == kind).sum() for kind in kinds) < 2:
            return Finding.abstain(f"needs two conditions of two trials each, got {len(kinds)} conditions")
        first, second = (values[condition == kind] for kind in kinds)
        halves, p_halves = self._agreement(first[::2], first[1::2], rng)
        if p_halves > self.level:
            return Finding.abstain(f"halves of one condition agree with p = {p_halves:.2g}: too few data")
        states, p_states = self._agreement(first, second, rng)
        notes: dict[str, object] = {"states": states, "p_states": p_states, "halves": halves, "p_halves": p_halves}
        probability = odds_of_significance(p_states, self.level)
        return two_label_finding(recording.attrs.get("brief", {}), self.attractor, self.rival, probability, notes)

    def _agreement(self, one: np.ndarray, other: np.ndarray, rng: np.random.Generator) -> tuple[float, float]:
        """Correlation over pairs of two parts' (trial, bin, unit) pair correlations, and its p-value."""
        a, b = pair_structure(one), pair_structure(other)
        upper = np.triu_indices(len(a), 1)

        def match(order: np.ndarray) -> float:
            x, y = a[upper], b[np.ix_(order, order)][upper]
            spread = x.std() * y.std()
            return float(((x - x.mean()) * (y - y.mean())).mean() / spread) if spread > 0 else 0.0

        found = match(np.arange(len(a)))
        null = np.array([match(rng.permutation(len(a))) for _ in range(self.n_permutations)])
        return found, float((1 + (null >= found).sum()) / (1 + self.n_permutations))


def pair_structure(values: np.ndarray) -> np.ndarray:
    """(unit, unit): correlations of activity (trial, bin, unit) less the mean of either unit; 0 on the diagonal."""
    flat = values.reshape(-1, values.shape[2]).astype(float)
    z = (flat - flat.mean(axis=0)) / np.maximum(flat.std(axis=0), 1e-12)
    r = z.T @ z / len(z)
    np.fill_diagonal(r, 0.0)
    n = len(r)
    own = (r.sum(axis=1) - r.sum() / (2 * (n - 1))) / (n - 2)  # least squares of r_ij = own_i + own_j
    r = r - own[:, None] - own
    np.fill_diagonal(r, 0.0)
    return np.asarray(r)
