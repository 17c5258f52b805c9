"""Features by the decompositions that everybody has: components, independent components, clusters, dictionaries."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Literal

import numpy as np
import xarray as xr

from methods.coding._dictionaries import BIN, NEEDS, LeastZ, NFeatures, finding, left_out, samples, wanted
from simlab.contracts import Finding, Needs
from simlab.rules import check_fields
from simlab.rules.quantities import Width

By = Literal["pca", "ica", "nmf", "kmeans", "dictionary_learning"]


@dataclass(frozen=True)
class DecomposedFeatures:
    """Directions of one of scikit-learn's decompositions (clusters: SciPy's), taken for features.

    `pca`: principal components. `ica`: the mixing directions of FastICA. `nmf`: factors of activity above its minimum.
    `kmeans`: centres of clusters of the samples' directions. `dictionary_learning`: online sparse coding (Mairal et al.
    2009). The first three have no more directions than units, so that features in superposition cannot all be among
    them. Abstains where activity along the directions is Gaussian (`least_z`; 0: never, as in most papers). Cost:
    seconds, `dictionary_learning` tens of them.
    """

    name: ClassVar[str] = "decomposed_features"
    question: ClassVar[str] = "features"
    family: ClassVar[str] = "matrix decomposition"
    library: ClassVar[str] = "scikit-learn"
    needs: ClassVar[Needs] = NEEDS

    by: By = "pca"
    n_features: NFeatures = 0
    bin_width: Width = BIN
    least_z: LeastZ = 5.0

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Directions, and the share of the variance that a projection on all of them leaves out."""
        from sklearn.exceptions import ConvergenceWarning

        x = samples(recording, self.bin_width, self.needs)
        if isinstance(x, Finding):
            return x
        with warnings.catch_warnings():  # Gaussian activity has no best axes to converge to
            warnings.simplefilter("ignore", ConvergenceWarning)
            rows = DECOMPOSITIONS[self.by](x, wanted(self.n_features, x.shape[1]), int(rng.integers(2**31)))
        rows = rows * np.sign(((x @ rows.T) ** 3).mean(axis=0))[:, None]  # features are absent more often than present
        basis = np.linalg.svd(rows, full_matrices=False)[2]
        return finding(x, rows, left_out(x, x @ basis.T @ basis), self.least_z)


def _pca(x: np.ndarray, number: int, seed: int) -> np.ndarray:
    return np.asarray(np.linalg.svd(x, full_matrices=False)[2][:number])


def _ica(x: np.ndarray, number: int, seed: int) -> np.ndarray:
    from sklearn.decomposition import FastICA

    spread = np.linalg.eigvalsh(x.T @ x)
    rank = int((spread > 1e-9 * spread[-1]).sum())  # silent units, and copies of others, cannot be whitened
    fitted = FastICA(min(number, rank), whiten="unit-variance", max_iter=500, random_state=seed).fit(x)
    return np.asarray(fitted.mixing_.T)


def _nmf(x: np.ndarray, number: int, seed: int) -> np.ndarray:
    from sklearn.decomposition import NMF

    fitted = NMF(min(number, x.shape[1]), max_iter=500, random_state=seed).fit(x - x.min(axis=0))
    return np.asarray(fitted.components_)


def _kmeans(x: np.ndarray, number: int, seed: int) -> np.ndarray:
    from scipy.cluster.vq import kmeans2

    length = np.linalg.norm(x, axis=1, keepdims=True)
    strong = length[:, 0] > np.median(length)  # what is near zero has no direction
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # an empty cluster keeps its first centre
        return np.asarray(kmeans2(x[strong] / length[strong], number, iter=50, minit="++", rng=seed)[0])


def _dictionary(x: np.ndarray, number: int, seed: int) -> np.ndarray:
    from sklearn.decomposition import MiniBatchDictionaryLearning

    fitted = MiniBatchDictionaryLearning(
        number, alpha=0.1, fit_algorithm="cd", positive_code=True, batch_size=256, max_iter=20, random_state=seed
    ).fit(x)
    return np.asarray(fitted.components_)


DECOMPOSITIONS: Mapping[str, Callable[[np.ndarray, int, int], Any]] = MappingProxyType(
    {"pca": _pca, "ica": _ica, "nmf": _nmf, "kmeans": _kmeans, "dictionary_learning": _dictionary}
)
