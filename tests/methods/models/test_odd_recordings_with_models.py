"""Recordings with models that are odd in one way each: how bins, individuals, stimuli and refusals are dealt with."""

from __future__ import annotations

import numpy as np
import pytest
from planted_models import STEP, beside, seeing

from methods.models import _candidates as helpers
from methods.models import _summaries
from methods.models.approximate_bayes import ApproximateBayes
from methods.models.dynamical_match import DynamicalMatch
from methods.models.feature_consistency import FeatureConsistency
from methods.models.model_cka import ModelCka
from methods.models.model_predictivity import ModelPredictivity
from methods.models.model_rsa import ModelRsa
from methods.models.model_shape_distance import ModelShapeDistance
from methods.models.most_disputed import MostDisputed
from simlab.contracts import Budget, BudgetExceeded, Finding, SimlabError
from simlab.session import Session, Stimulus

PASSIVE = (ModelPredictivity(), ModelRsa(), ModelCka(), ModelShapeDistance(), FeatureConsistency())


def asked(method, told) -> Finding:
    return method.analyse(told, np.random.default_rng(5))


@pytest.fixture(scope="module")
def told():
    return seeing("half_squares", trials=12, bins=30, individuals=2)


def test_individuals_of_a_candidate_stand_together_and_are_told_apart(told):
    found = helpers.beside(told)
    names = told.attrs["brief"]["candidates"]
    assert [None if m is None else m.shape[1] for m in found.models] == [None, 60, 60]
    assert [np.bincount(part).tolist() for part in found.individuals[1:]] == [[30, 30], [30, 30]]
    assert found.individuals[names.index("blind")].size == 0
    assert found.step == pytest.approx(STEP)
    assert found.bin[:31].tolist() == [*range(30), 0]


def test_bins_that_are_unknown_of_a_model_are_left_out_of_all(told):
    response = told["model_response"].copy(deep=True)
    response[3, 5:9, 0] = np.nan
    found = helpers.beside(told.assign(model_response=response))
    assert len(found.units) == 12 * 30 - 4
    assert not ((found.trial == 3) & (found.bin >= 5) & (found.bin < 9)).any()
    for method in (*PASSIVE, DynamicalMatch(splits=1, delays=3)):
        scored = asked(method, told.assign(model_response=response))
        assert not scored.abstained
        assert np.isfinite(scored.estimate["score"]).all()


def test_a_silent_unit_changes_nothing_and_is_remembered(told):
    spikes = told["spike_unit"].values
    quiet = told.isel(spike=np.flatnonzero(spikes != 4))
    found = helpers.beside(quiet)
    assert found.units.shape[1] == 11
    assert np.flatnonzero(~found.varied).tolist() == [4]
    assert helpers.beside(quiet, every_unit=True).units.shape[1] == 12
    assert asked(ModelPredictivity(), quiet).estimate["score"].argmax() == 2


def test_trials_of_unequal_length_are_declined(told):
    cut = np.full(12, 30 * STEP)
    cut[0] = 10 * STEP
    kept = (told["spike_trial"].values > 0) | (told["spike_time"].values < 10 * STEP)
    uneven = told.isel(spike=np.flatnonzero(kept)).assign(trial_duration=("trial", cut))
    for method in PASSIVE:
        found = asked(method, uneven)
        assert found.abstained or np.isfinite(found.estimate["score"]).all()


def test_few_stimuli_are_too_few_for_geometry():
    same = seeing("half_squares", trials=40, repeats=40, bins=6)
    for method in (ModelRsa(), ModelCka(), ModelShapeDistance()):
        assert "6 stimuli are too few" in asked(method, same).abstained


def test_frames_that_are_missing_and_many_pixels_are_no_trouble_to_summaries():
    rng = np.random.default_rng(0)
    wide = rng.standard_normal((400, _summaries.MOST_FEATURES + 20))
    parts = _summaries.tuning(rng.poisson(1.0, (400, 3)).astype(float), wide)
    assert [part.shape for part in parts] == [(3,), (3,)]
    told = seeing("energies", individuals=8, n_model=8, trials=12, bins=30)
    shown = told["stimulus"].copy(deep=True)
    shown[2, 3:6] = np.nan
    for odd in (told.assign(stimulus=shown), told.drop_vars("stimulus")):
        found = asked(ApproximateBayes(), odd)
        assert not found.abstained
        assert np.isfinite(found.estimate["score"]).all()


class Desk:
    """A rig that says no, or has little left."""

    def __init__(self, remaining: Budget, stimulus: bool = True, refuses: type[Exception] | None = None):
        self.remaining, self.brief, self.refuses, self.stimulus = (
            remaining,
            {"candidates": ("a", "b")},
            refuses,
            stimulus,
        )

    def session(self, *, trials: int, duration: float) -> Session:
        shown = Stimulus(("x",), np.random.default_rng(0).standard_normal((trials, 20, 1)), duration / 20)
        return Session(trials, duration, shown if self.stimulus else None)

    def record(self, session: Session):
        if self.refuses:
            raise self.refuses("no")
        rng, n_bins = np.random.default_rng(1), int(session.duration / STEP)
        shape = (session.trials, n_bins)
        return beside({"a": rng.random((*shape, 3)), "b": rng.random((*shape, 3))}, counts=rng.poisson(1, (*shape, 4)))


def investigated(desk: Desk) -> Finding:
    return MostDisputed(duration=2.0).investigate(desk, np.random.default_rng(0))


def test_a_rig_that_refuses_or_shows_nothing_is_reported_and_an_empty_purse_is_not_hidden():
    ample = Budget(trials=20, seconds=40.0)
    assert "does not show" in investigated(Desk(ample, refuses=SimlabError)).abstained
    assert "shows nothing that could be changed" in investigated(Desk(ample, stimulus=False)).abstained
    with pytest.raises(BudgetExceeded):
        investigated(Desk(ample, refuses=BudgetExceeded))
    assert "4 trials" in investigated(Desk(Budget(trials=2, seconds=40.0))).abstained
    assert "4 trials" in investigated(Desk(Budget(trials=20, seconds=1.0))).abstained
