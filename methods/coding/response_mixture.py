"""Concept cells or a sparse code? How many cells respond to one concept, and how many to two, of those shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.coding._pictures import NEEDS, named, responses, shares, viewed
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level, Repeats, Share

ROUNDS = 300
"""Of expectation and maximisation."""

SPARSENESS = np.concatenate([[0.0], np.geomspace(1e-3, 1.0, 60)])
"""Probabilities of a response among which those of the cells are looked for."""


@dataclass(frozen=True)
class ResponseMixture:
    """A unit that responds to one concept is called by it only if more do than any sparse code would have.

    A cell of sparseness a responds to k of S concepts with the binomial probability of k (Waydo et al. 2006, J Neurosci
    26:10232), cells of several sparsenesses (Magyar & Collins 2015, Phys Rev E 92:012712) with a mixture of those. Two
    mixtures are fitted to the units' numbers k by maximum likelihood: of any sparsenesses; and with cells beside them
    that respond to one concept whatever is shown. The second is believed if its likelihood is larger, relative to the
    first, than in all but `level` of `n_surrogates` drawn from the first. Then a unit with k = 1 is one of those cells
    with a probability that must exceed `least_sure`. A unit responds to a concept if it responds to `least_pictures` of
    its pictures, by the criterion of `five_sigma_response`. Cost: two fits for each surrogate, some 0.1 s in all.
    """

    name: ClassVar[str] = "response_mixture"
    question: ClassVar[str] = "selectivity"
    family: ClassVar[str] = "mixture model"
    library: ClassVar[str] = "scipy"
    needs: ClassVar[Needs] = NEEDS

    level: Level = 0.05
    least_sure: Share = 0.5
    least_pictures: Share = 0.5
    n_surrogates: Repeats = 99
    n_sigma: Annotated[float, Within(0, 100)] = 5.0
    least_spikes: Annotated[float, Within(0, 1000)] = 2.0

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Each unit's concept."""
        found = viewed(recording, self.needs)
        if isinstance(found, Finding):
            return found
        responded = responses(found, self.n_sigma, self.least_spikes)
        if isinstance(responded, Finding):
            return responded
        share = shares(responded, found.concept)
        to = (share > 0) & (share >= self.least_pictures)
        p, sure = self._compared(to.sum(axis=0), len(to), rng)
        believed = p <= self.level and sure > self.least_sure
        concept = named(to.argmax(axis=0), (to.sum(axis=0) == 1) & believed, found.names)
        notes = {"p": p, "sure": sure, "sparseness": float(to.mean())}
        return Finding({"concept": concept}, notes=notes)

    def _compared(self, number: np.ndarray, n_concepts: int, rng: np.random.Generator) -> tuple[float, float]:
        """p of the mixture of sparsenesses; the probability that a unit with one response is none of it."""
        seen = np.bincount(number, minlength=n_concepts + 1)[None].astype(float)
        sparse, with_concepts = _components(n_concepts)
        weight, likelihood = fitted(seen, sparse)
        others, larger = fitted(seen, with_concepts)
        null = rng.multinomial(len(number), _normalised(weight[0] @ sparse.T), self.n_surrogates).astype(float)
        gain = fitted(null, with_concepts)[1] - fitted(null, sparse)[1]
        p = float((1 + (gain >= larger - likelihood - 1e-9).sum()) / (1 + self.n_surrogates))
        return p, float(others[0, -1] / max(others[0] @ with_concepts[1], 1e-300))


def _components(n_concepts: int) -> tuple[np.ndarray, np.ndarray]:
    """(responses, component) probabilities of a cell's responses; the second with cells that respond to just one."""
    from scipy.stats import binom

    sparse = binom.pmf(np.arange(n_concepts + 1)[:, None], n_concepts, SPARSENESS)
    return sparse, np.column_stack([sparse, np.arange(n_concepts + 1) == 1])


def fitted(seen: np.ndarray, component: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(sample, component) weights that make numbers of units (sample, responses) likeliest, and (sample,) log
    likelihoods."""
    weight = np.full((len(seen), component.shape[1]), 1 / component.shape[1])
    for _ in range(ROUNDS):
        weight = weight * ((seen / np.maximum(weight @ component.T, 1e-300)) @ component)
        weight /= weight.sum(axis=1, keepdims=True)
    return weight, (seen * np.log(np.maximum(weight @ component.T, 1e-300))).sum(axis=1)


def _normalised(probability: np.ndarray) -> np.ndarray:
    return np.asarray(probability / probability.sum())
