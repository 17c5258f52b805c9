"""What methods share that divide units into groups: binned activity, and how many groups there are."""

from __future__ import annotations

import numpy as np
import xarray as xr

from simlab.data import bin_spikes, is_spiking, signals


def binned(recording: xr.Dataset, width: float) -> np.ndarray:
    """(bin, unit) counts, or mean signals, of all trials one after another; width [s]."""
    values = bin_spikes(recording, width) if is_spiking(recording) else signals(recording, width)
    return np.asarray(values.transpose("trial", "time", "unit").values, dtype=float).reshape(
        -1, recording.sizes["unit"]
    )


def correlations(values: np.ndarray) -> np.ndarray:
    """(unit, unit) of columns (bin, unit); 0 with a unit that does not vary, 1 on the diagonal."""
    varied = np.ptp(values, axis=0) > 0
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
