"""What methods share that divide units into groups: binned activity, and how many groups there are."""

from __future__ import annotations

import numpy as np
import xarray as xr

from simlab.data import bin_spikes, is_spiking, signals

TRIES = 10
"""Of k-means, from different starts."""


def binned(recording: xr.Dataset, width: float) -> np.ndarray:
    """(bin, unit) counts, or the signal's samples, of all trials one after another; width [s].

    Gaps are left out: bins in which a unit was not seen that was seen at other times. No bin fits into shorter trials.
    """
    n_units = recording.sizes["unit"]
    if is_spiking(recording) and float(recording.attrs["duration"]) < width * (1 - 1e-6):
        return np.empty((0, n_units))
    seen = bin_spikes(recording, width) if is_spiking(recording) else signals(recording, width)
    values = np.asarray(seen.transpose("trial", "time", "unit").values, dtype=float).reshape(-1, n_units)
    known = np.isfinite(values)
    return np.asarray(values[known[:, known.any(axis=0)].all(axis=1)])


def varying(values: np.ndarray) -> np.ndarray:
    """(unit,) bool: which columns (bin, unit) are not the same in all bins; none where one of them is NaN."""
    return np.ptp(values, axis=0) > 0 if len(values) else np.zeros(values.shape[1], dtype=bool)


def correlations(values: np.ndarray) -> np.ndarray:
    """(unit, unit) of columns (bin, unit); 0 with a unit that does not vary, 1 on the diagonal."""
    varied = varying(values)
    matrix = np.zeros((values.shape[1],) * 2)
    if varied.sum() > 1:
        matrix[np.ix_(varied, varied)] = np.nan_to_num(np.corrcoef(values[:, varied].T))
    np.fill_diagonal(matrix, 1.0)
    return matrix


def best_cut(distance: np.ndarray, most: int) -> tuple[np.ndarray, float]:
    """Groups (unit,) of average linkage, cut where the mean silhouette (Rousseeuw 1987) is greatest, and it.

    distance: (unit, unit), symmetric. At most so many groups, at least two; of two units or fewer, one group.
    """
    from scipy.cluster.hierarchy import cut_tree, linkage
    from scipy.spatial.distance import squareform
    from sklearn.metrics import silhouette_score

    n = len(distance)
    if n < 3:
        return np.zeros(n, dtype=int), 0.0
    tree = linkage(squareform(distance, checks=False), "average")
    cuts = [cut_tree(tree, k)[:, 0] for k in range(2, min(most, n - 1) + 1)]
    quality = [silhouette_score(distance, cut, metric="precomputed") for cut in cuts]
    best = int(np.argmax(quality))
    return cuts[best].astype(int), float(quality[best])


def standardised(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Columns (bin, unit) that vary, with mean 0 and variance 1, and which they are (unit,) bool."""
    varied = varying(values)
    kept = values[:, varied]
    if not kept.size:
        return kept, varied
    return (kept - kept.mean(axis=0)) / np.maximum(kept.std(axis=0), 1e-12), varied


def above_chance(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues of the correlations of z (bin, unit) beyond what independent units would have, and their vectors.

    Ascending, (component,) and (unit, component). The bound is that of Marchenko & Pastur, (1 + sqrt(units / bins))^2.
    """
    eigenvalues, vectors = np.linalg.eigh(z.T @ z / len(z))
    beyond = eigenvalues > (1 + np.sqrt(z.shape[1] / len(z))) ** 2
    return eigenvalues[beyond], vectors[:, beyond]


def spectral_groups(weights: np.ndarray, most: int, rng: np.random.Generator) -> tuple[np.ndarray, int]:
    """Groups (node,) of a graph of weights >= 0 (node, node) in which each node has an edge, and how many there are.

    k-means on the eigenvectors of the normalised Laplacian (Ng, Jordan & Weiss 2002), with as many groups as the
    largest gap between successive eigenvalues says, at most `most`.
    """
    scale = 1 / np.sqrt(weights.sum(axis=1))
    values, vectors = np.linalg.eigh(np.eye(len(weights)) - scale[:, None] * weights * scale[None])
    most = min(most, len(weights) - 1)
    n_groups = int(np.diff(values[: most + 1])[1:].argmax()) + 2 if most >= 2 else 1
    rows = vectors[:, :n_groups]
    return nearest_centres(
        rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12), n_groups, rng
    ), n_groups


def nearest_centres(rows: np.ndarray, n_groups: int, rng: np.random.Generator) -> np.ndarray:
    """(row,) the groups of k-means on rows (row, value), the best of `TRIES`."""
    import warnings

    from scipy.cluster.vq import kmeans2

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a group that lost its rows: another try is better, or there are fewer groups
        tries = [kmeans2(rows, n_groups, minit="++", rng=rng) for _ in range(TRIES)]
    spread = [((rows - centre[label]) ** 2).sum() for centre, label in tries]
    return tries[int(np.argmin(spread))][1]
