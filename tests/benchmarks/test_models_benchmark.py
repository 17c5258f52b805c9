"""How long it takes to rank 10 models of 500 features by 100 units in 1,000 stimuli, by each way to choose.

Run with `pytest -m benchmark -s tests/benchmarks/test_models_benchmark.py`. Figures are printed, never asserted:
processor time on one thread. Meant: prediction within 30 s.
"""

from __future__ import annotations

from time import process_time

import numpy as np
import pytest
from planted_models import STEP, beside, filters, half_squares

from methods.models.effective_dimensionality import EffectiveDimensionality
from methods.models.feature_consistency import FeatureConsistency
from methods.models.information_criterion import InformationCriterion
from methods.models.model_cka import ModelCka
from methods.models.model_predictivity import ModelPredictivity
from methods.models.model_rsa import ModelRsa
from methods.models.model_shape_distance import ModelShapeDistance

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1800)]

MODELS, UNITS, STIMULI, FEATURES, PIXELS = 10, 100, 1000, 500, 64
METHODS = (
    ModelPredictivity(), ModelPredictivity("pls"), InformationCriterion(), FeatureConsistency(),
    EffectiveDimensionality(), ModelRsa(), ModelCka(), ModelShapeDistance(),
)  # fmt: skip


def test_ranking_ten_models(capsys):
    rng = np.random.default_rng(0)
    shown = rng.standard_normal((10, STIMULI // 10, PIXELS))
    models = {f"model {k}": half_squares(shown, filters(FEATURES, PIXELS, rng)) for k in range(MODELS)}
    counts = rng.poisson(20 * STEP * half_squares(shown, filters(UNITS, PIXELS, rng)))
    told = beside(models, counts=counts, stimulus=shown, blind=False)
    for method in METHODS:
        start = process_time()
        found = method.analyse(told, np.random.default_rng(1))
        with capsys.disabled():
            print(f"\n{method.name}: {process_time() - start:.1f} s of processor time")
        assert len(found.estimate["score"]) == MODELS
