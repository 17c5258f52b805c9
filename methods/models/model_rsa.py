"""Are stimuli as far apart in the model as in the recording? Representational similarity of models and brains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
import xarray as xr

from methods.models._candidates import NEEDS, Beside, averaged, beside, ranked, repeated, shown_alike
from methods.similarity.rsa import Comparison, distances, scatters, scored, whitening
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields

LEAST_STIMULI = 10


@dataclass(frozen=True)
class ModelRsa:
    """Distances of all stimuli in the recording, correlated with those in each model (Kriegeskorte et al. 2008).

    A stimulus is a bin of what was shown; where the same was shown in several trials (a condition, or the very same
    frames) they are averaged. euclidean: squared distances of means, in which noise stands. cross_validated: products
    of differences in different repeats, and crossnobis: these in units of the noise (Walther et al. 2016, NeuroImage
    137:188); both abstain without repeats. Of more than `most_stimuli`, as many are taken at even spaces.

    Nothing is fitted: a model with the right cells in other numbers, or of other rates, has other distances, and a rich
    basis gains nothing by its riches (Kriegeskorte & Wei 2021, Nat Rev Neurosci 22:703). It assumes that a model's
    units sample directions as the recorded ones do. Cost: a second.
    """

    name: ClassVar[str] = "model_rsa"
    question: ClassVar[str] = "model_choice"
    family: ClassVar[str] = "representational geometry"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = NEEDS

    distance: Literal["euclidean", "cross_validated", "crossnobis"] = "euclidean"
    compare: Comparison = "spearman"
    most_stimuli: Annotated[int, Within(LEAST_STIMULI, 5000)] = 800

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The correlation of distances, for each candidate."""
        found = beside(recording, self.needs)
        if isinstance(found, Finding):
            return found
        shown = shown_alike(recording, found)
        number = int(shown.max()) + 1
        if number < LEAST_STIMULI:
            return Finding.abstain(f"{number} stimuli are too few to compare distances: it takes {LEAST_STIMULI}")
        kept = np.unique(np.linspace(0, number - 1, min(number, self.most_stimuli)).round().astype(int))
        theirs = self._distances(found, shown, kept)
        if isinstance(theirs, Finding):
            return theirs
        upper = np.triu_indices(len(kept), 1)
        own = scored(theirs, upper, self.compare)

        def likeness(model: np.ndarray) -> float | None:
            apart = distances(averaged(model, shown)[None, kept], cross_validated=False)
            other = scored(apart, upper, self.compare)
            return float((own * other)[upper].sum()) if np.ptp(apart[upper]) > 0 else None

        return ranked(found, likeness)

    def _distances(self, found: Beside, shown: np.ndarray, kept: np.ndarray) -> np.ndarray | Finding:
        """(stimulus, stimulus) of the recorded units."""
        if self.distance == "euclidean":
            return distances(averaged(found.units, shown)[None, kept], cross_validated=False)
        responses = repeated(found.units, shown)
        if responses is None:
            return Finding.abstain(f"{self.distance} distances need all stimuli shown twice, and some were not")
        responses = responses[:, kept]
        if self.distance == "crossnobis":
            if not scatters(responses, 0):
                return Finding.abstain("there is no noise to whiten by: repeats of each stimulus do not differ")
            responses = responses @ whitening(responses)
        return distances(responses, cross_validated=True)
