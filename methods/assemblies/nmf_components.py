"""Units that weigh most in the same component of a non-negative factorisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.assemblies._partitions import binned, varying
from simlab.contracts import Finding, Needs
from simlab.data import missing
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Width


@dataclass(frozen=True)
class NmfComponents:
    """Counts (bin, unit), divided by each unit's maximum, as time courses x weights, all >= 0 (Lee & Seung 1999).

    Nature 401:788, with scikit-learn's coordinate descent; as many `components` as Jonas & Kording 2017 took for the
    whole processor, whose components followed the clock and the read-write signal. A unit belongs to the component in
    which it weighs most, silent units each to a group of its own. The number of components is an assumption, and there
    are always that many: where there is no structure it is divided all the same. Needs what is never negative: spikes
    or rates. Cost: some hundred passes over the counts.
    """

    name: ClassVar[str] = "nmf_components"
    question: ClassVar[str] = "assemblies"
    family: ClassVar[str] = "dimension reduction"
    library: ClassVar[str] = "scikit-learn"
    needs: ClassVar[Needs] = Needs(("spikes", "rate"), units=3)

    components: Annotated[int, Within(2, 1000)] = 6
    width: Width = 20e-3

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The notes give the share of the counts' squares that the components leave unexplained."""
        if reason := missing(recording, self.needs):
            return Finding.abstain(reason)
        values = binned(recording, self.width)
        values = values[np.isfinite(values).all(axis=1)]
        live = np.flatnonzero(varying(values))
        if min(len(live), len(values)) <= self.components:
            return Finding.abstain(f"{len(live)} active units in {len(values)} bins: too few for {self.components}")
        if values.min() < 0:
            return Finding.abstain("needs what is never negative: z-scores and filtered signals have no such parts")
        scaled = values[:, live] / values[:, live].max(axis=0)
        weights, left = _factors(scaled, self.components, rng)
        group = self.components + np.arange(values.shape[1])
        group[live] = weights.argmax(axis=0)
        return Finding({"group": group}, notes={"unexplained": left})


def _factors(values: np.ndarray, n: int, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """Weights (component, unit) for time courses of unit length, and the share of squares that is left."""
    import warnings

    from sklearn.decomposition import NMF

    model = NMF(n, init="nndsvda", max_iter=300, random_state=int(rng.integers(2**31)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # not converged: the last step is as good a guess as any
        courses = model.fit_transform(values)
    left = float(model.reconstruction_err_**2 / (values**2).sum())
    return model.components_ * np.linalg.norm(courses, axis=0)[:, None], left
