"""How long a sparse autoencoder of 1,024 features takes on a million samples, from some of the steps.

Run with `pytest -m benchmark -s tests/benchmarks/test_dictionaries_benchmark.py`. Figures are printed, never asserted:
processor time on one thread. A million samples are 4,000 batches of 256; as many steps take so many times longer.
"""

from __future__ import annotations

from time import process_time

import numpy as np
import pytest

from methods.coding._dictionaries import MOST_JUDGED, kurtosis_z
from methods.coding.sparse_autoencoder import SparseAutoencoder, _rebuilt

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1800)]

FEATURES, SAMPLES, SHARE, STEPS = 1024, 1_000_000, 0.02, 80


@pytest.mark.parametrize("units", [64, 256])
def test_a_sparse_autoencoder_of_a_million_samples(units, capsys):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((int(SAMPLES * SHARE), units))
    method = SparseAutoencoder(n_features=FEATURES, steps=STEPS)
    method.trained(x[:1000], np.random.default_rng(1))
    start = process_time()
    weights = method.trained(x, np.random.default_rng(1))
    training = (process_time() - start) * SAMPLES / method.batch / STEPS
    start = process_time()
    _rebuilt(x, weights)
    rebuilding = (process_time() - start) / SHARE
    start = process_time()
    kurtosis_z(x, weights.decoder)
    judging = (process_time() - start) * MOST_JUDGED / len(x)
    total = training + rebuilding + judging
    with capsys.disabled():
        print(
            f"\n{units} units, {FEATURES} features, {SAMPLES} samples: {total:.0f} s of processor time "
            f"({training:.0f} to train, {rebuilding:.0f} to rebuild, {judging:.0f} to judge)"
        )
    assert np.isfinite(weights.decoder).all()
