"""What each way to choose among models must find, what fools it, and what it says of poor data."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from planted_models import STEP, beside, energies, filters, half_squares, seeing, turning

from methods.models import _candidates as helpers
from methods.models.approximate_bayes import ApproximateBayes
from methods.models.dynamical_match import DynamicalMatch
from methods.models.effective_dimensionality import EffectiveDimensionality
from methods.models.feature_consistency import FeatureConsistency
from methods.models.information_criterion import InformationCriterion
from methods.models.model_cka import ModelCka
from methods.models.model_predictivity import ModelPredictivity
from methods.models.model_rsa import ModelRsa
from methods.models.model_shape_distance import ModelShapeDistance
from simlab.contracts import Finding, SimlabError

FITTED = (ModelPredictivity(), ModelPredictivity("pls", 5), InformationCriterion(), FeatureConsistency())
GEOMETRIES = (ModelRsa(), ModelCka(), ModelShapeDistance())
BAYES, FLOW = ApproximateBayes(), DynamicalMatch(splits=2, delays=5)
EVERY = (*FITTED, *GEOMETRIES, EffectiveDimensionality(), BAYES, FLOW)
KINDS = ("half_squares", "energies")


def asked(method, told: xr.Dataset) -> Finding:
    return method.analyse(told, np.random.default_rng(5))


def ranked(method, told: xr.Dataset) -> list[str]:
    """Candidates, the first one first."""
    found = asked(method, told)
    assert not found.abstained, found.abstained
    names = told.attrs["brief"]["candidates"]
    return [names[k] for k in np.argsort(-found.estimate["score"], kind="stable")]


@pytest.fixture(scope="module", params=KINDS)
def seen(request) -> tuple[str, xr.Dataset]:
    return request.param, seeing(request.param, trials=20)


@pytest.mark.parametrize("method", [*FITTED, *GEOMETRIES], ids=lambda method: method.name)
def test_other_cells_of_the_kind_come_first_and_who_saw_nothing_last(method, seen):
    kind, told = seen
    assert ranked(method, told)[0] == kind
    assert ranked(method, told)[-1] == "blind"


def rich(n_model: int = 8, n: int = 200, seed: int = 3) -> xr.Dataset:
    """Half-squaring cells, and a candidate that mixes all kinds of responses of very many filters."""
    told = seeing("half_squares", trials=20, n_model=n_model, seed=seed)
    shown, rng = told["stimulus"].values, np.random.default_rng(seed)
    weights = filters(n, shown.shape[2], rng)
    mixed = np.concatenate([half_squares(shown, weights), energies(shown, weights)], axis=2)
    mixed = mixed @ rng.exponential(size=(mixed.shape[2], n))
    return seeing("half_squares", trials=20, n_model=n_model, seed=seed, rich=mixed)


def test_a_rich_basis_foretells_better_than_few_cells_of_the_kind_and_geometry_does_not_fall_for_it():
    told = rich()
    assert all(ranked(method, told)[0] == "rich" for method in (ModelPredictivity(), FeatureConsistency()))
    many = rich(n_model=40)  # of fewer cells, the geometry is not that of the kind
    assert [ranked(method, many)[0] for method in GEOMETRIES] == ["half_squares"] * 3


def test_one_loud_unit_misleads_what_nothing_is_fitted_in_and_not_what_weighs_units():
    told = seeing("half_squares", trials=20)
    right = told.attrs["brief"]["candidates"].index("half_squares")
    loud = np.where(np.flatnonzero(told["model"].values == right)[0] == np.arange(told.sizes["model_unit"]), 100.0, 1.0)
    deafening = told.assign(model_response=told["model_response"] * loud.astype(np.float32))
    assert all(ranked(method, deafening)[0] == "energies" for method in GEOMETRIES)
    assert ranked(ModelPredictivity(), deafening)[0] == "half_squares"


def test_the_ranking_by_dimension_looks_at_models_alone():
    told = rich()
    other = seeing("energies", trials=20, n_model=8, seed=3)
    flat = told.assign(model_response=told["model_response"] * 0 + np.float32(7.3))
    score = asked(EffectiveDimensionality(), told).estimate["score"]
    assert ranked(EffectiveDimensionality(), told)[-1] == "blind"
    assert score[told.attrs["brief"]["candidates"].index("half_squares")] > 4
    assert asked(EffectiveDimensionality(), flat).estimate["score"].max() == 0
    assert asked(EffectiveDimensionality(), other).estimate["score"].max() < 9  # no more than units


def test_consistency_says_of_noise_that_nothing_fits():
    told = seeing("half_squares", trials=20)
    rng = np.random.default_rng(0)
    names = told.attrs["brief"]["candidates"]
    models = {names[k]: told["model_response"].values[:, :, told["model"].values == k] for k in (1, 2)}
    noise = beside(models, counts=rng.poisson(1.0, (20, 60, 12)))
    found = asked(FeatureConsistency(), noise)
    assert not found.estimate["fits"].any()
    assert found.estimate["score"].max() < 0.1
    true = asked(FeatureConsistency(), told).estimate["fits"]
    assert true[names.index("half_squares")]
    assert not true[names.index("blind")]


def test_repeats_are_told_by_conditions_or_by_what_was_shown_and_free_distances_of_noise():
    told = seeing("energies", trials=40, repeats=4, bins=20, rate=10.0)
    for distance in ("euclidean", "cross_validated", "crossnobis"):
        assert ranked(ModelRsa(distance), told)[0] == "energies"
    found = helpers.beside(told)
    shown = helpers.shown_alike(told, found)
    assert np.bincount(shown).tolist() == [4] * 200
    by_name = told.drop_vars("stimulus").assign(condition=("trial", np.repeat(np.arange(10), 4)))
    assert np.array_equal(np.bincount(helpers.shown_alike(by_name, found)), np.bincount(shown))
    assert helpers.shown_alike(told.drop_vars("stimulus"), found).max() == 19  # whatever comes at the same time
    mean = helpers.averaged(found.units, shown)
    responses = helpers.repeated(found.units, shown)
    assert responses.shape == (4, 200, 12)
    assert responses.mean(axis=0) == pytest.approx(mean)
    assert np.array_equal(found.units[shown == 7].mean(axis=0), mean[7])
    once = seeing("energies", trials=10)
    assert "shown twice" in asked(ModelRsa("crossnobis"), once).abstained
    assert helpers.repeated(found.units, np.arange(len(found.units))) is None


def test_a_flow_is_told_by_its_frequency_and_not_by_who_reads_it():
    rng = np.random.default_rng(2)
    models = {f"{f:g} Hz": turning(f, 16, 80, 12, rng) for f in (0.5, 3.0)}
    counts = rng.poisson(8 * turning(3.0, 16, 80, 16, rng))
    told = beside(models, counts=counts)
    found = asked(FLOW, told)
    assert ranked(FLOW, told)[0] == "3 Hz"
    assert dict(zip(told.attrs["brief"]["candidates"], found.estimate["fits"].tolist(), strict=True))["3 Hz"]
    twice = {"one": models["3 Hz"], "other": turning(3.0, 16, 80, 12, rng)}
    alike = asked(FLOW, beside(twice, counts=counts)).estimate  # by flow alone, these are one
    assert alike["fits"][1:].all()
    short = told.isel(step=slice(0, 5))
    assert "too short" in asked(FLOW, short).abstained
    assert (
        "four whole trials" in asked(FLOW, told.isel(trial=slice(0, 3), spike=told["spike_trial"].values < 3)).abstained
    )


@pytest.mark.parametrize("kind", KINDS)
def test_simulated_individuals_of_the_kind_are_the_likely_ones(kind):
    told = seeing(kind, individuals=10, n_model=14, trials=20, seed=4)
    found = asked(BAYES, told)
    assert ranked(BAYES, told)[0] == kind
    assert found.confidence > 0.7
    names = told.attrs["brief"]["candidates"]
    assert found.estimate["fits"][names.index(kind)]
    assert np.exp(found.estimate["score"][1:]).sum() == pytest.approx(1, abs=1e-6)


def test_individuals_that_differ_in_nothing_summarised_are_as_likely_and_few_are_none():
    told = seeing("half_squares", individuals=16, n_model=12, trials=20, seed=6)
    names = told.attrs["brief"]["candidates"]
    kept = told.isel(model_unit=np.flatnonzero(told["model"].values == names.index("half_squares")))
    half = kept["model_individual"].values % 2
    twins = kept.assign(model=("model_unit", half.astype(np.int32))).assign_attrs(brief={"candidates": ("a", "b")})
    found = asked(BAYES, twins)
    assert found.confidence < 0.9
    assert found.estimate["fits"].all()
    assert "individuals of each candidate, got 1" in asked(BAYES, seeing()).abstained


def test_data_unlike_any_draw_fit_none():
    told = seeing("half_squares", individuals=10, n_model=12, trials=20, seed=4)
    rng = np.random.default_rng(1)
    names = told.attrs["brief"]["candidates"]
    models = {
        name: np.stack(
            [told["model_response"].values[:, :, (told["model"].values == k) & (told["model_individual"].values == n)]
             for n in range(10)]
        )
        for k, name in enumerate(names) if name != "blind"
    }  # fmt: skip
    bursts = 5 * rng.poisson(0.3, (20, 60, 12))
    found = asked(BAYES, beside(models, counts=bursts, stimulus=told["stimulus"].values))
    assert not found.estimate["fits"].any()


POOR = {
    "silent": lambda told: told.isel(spike=slice(0, 0)),
    "no models": lambda told: told.drop_vars([name for name in told.data_vars if str(name).startswith("model")]),
    "unknown models": lambda told: told.assign(model_response=told["model_response"] * np.nan),
    "constant models": lambda told: told.assign(model_response=told["model_response"] * 0 + np.float32(7.3)),
    "one trial": lambda told: told.isel(trial=slice(0, 1), spike=told["spike_trial"].values < 1),
    "one bin": lambda told: told.isel(step=slice(0, 1)),
    "copied units": lambda told: copies(told),
}


def copies(told: xr.Dataset) -> xr.Dataset:
    """All units are the first, which fires once in each bin."""
    counts = np.zeros((10, 60, 12), dtype=int)
    counts[:, ::7] = 1
    names = told.attrs["brief"]["candidates"]
    models = {name: told["model_response"].values[:, :, told["model"].values == k] for k, name in enumerate(names)}
    return beside({name: block for name, block in models.items() if name != "blind"}, counts=counts)


@pytest.mark.parametrize("what", POOR)
def test_poor_data_are_answered_finitely_or_declined(what):
    told = POOR[what](seeing(individuals=8, n_model=4))
    for method in EVERY:
        found = asked(method, told)
        assert found.abstained or np.isfinite(found.estimate["score"]).all()
        if what in ("silent", "no models", "unknown models"):
            assert found.abstained, method


def test_a_signal_is_as_good_as_spikes():
    told = seeing("energies", trials=20)
    rng = np.random.default_rng(0)
    names, owner = told.attrs["brief"]["candidates"], told["model"].values
    models = {name: told["model_response"].values[:, :, owner == k] for k, name in enumerate(names) if name != "blind"}
    own = energies(told["stimulus"].values, filters(24, 5, rng)) + 0.5 * rng.standard_normal((20, 60, 12))
    traces = beside(models, signal=own)
    for method in (*FITTED, *GEOMETRIES):
        assert ranked(method, traces)[0] == "energies"
    assert not asked(FLOW, traces).abstained
    assert helpers.beside(traces).step == STEP


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: ModelRsa("cosine"), lambda: ModelRsa(most_stimuli=3), lambda: ModelShapeDistance(1),
        lambda: FeatureConsistency(agreement=2.0), lambda: InformationCriterion("mdl"), lambda: DynamicalMatch(rank=0),
        lambda: ApproximateBayes(kept=0.0), lambda: ModelCka(debiased=2),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(SimlabError):
        wrong()
