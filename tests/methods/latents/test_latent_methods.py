"""Methods that find latents: right where factors are shared, silent where nothing is, and abstaining on too little."""

from __future__ import annotations

import latent_worlds as worlds
import numpy as np
import pytest

from methods.latents._factors import at_times, steady
from methods.latents.cca import Cca
from methods.latents.demixed_pca import DemixedPca
from methods.latents.factor_analysis import FactorAnalysis
from methods.latents.gpfa import Gpfa
from methods.latents.ica import Ica
from methods.latents.nmf import Nmf
from methods.latents.pca_latents import PcaLatents
from methods.latents.poisson_lds import PoissonLds
from methods.latents.subspace_identification import SubspaceIdentification
from methods.latents.targeted_reduction import TargetedReduction
from methods.latents.tensor_components import TensorComponents
from simlab import truths
from simlab.data import missing
from simlab.scoring import score

SMOOTHERS = (
    PcaLatents(), FactorAnalysis(), Ica(), Cca(), Gpfa(iterations=10), SubspaceIdentification(),
    PoissonLds(iterations=2),
)  # fmt: skip
ALL = (*SMOOTHERS, Nmf(), TensorComponents(), DemixedPca())
named = pytest.mark.parametrize("method", SMOOTHERS, ids=lambda method: method.name)


@named
def test_shared_factors_are_recovered(method):
    found = worlds.scored(method, worlds.FACTORS)
    assert found["r2"] > 0.85
    assert found["n_factors_error"] == 0
    assert not found["false_recovery"]


@named
def test_neurons_that_share_nothing_get_no_factors(method):
    silent = sum(bool(worlds.finding_of(method, worlds.NOISE, seed).abstained) for seed in range(3))
    # at most .2 of such recordings are claimed (measured for the shift): P(two or more of three) = .1 at worst
    assert silent >= 2


def test_the_number_of_factors_that_is_asked_for_is_given():
    few, many = (worlds.finding_of(PcaLatents(n_factors=n), worlds.FACTORS) for n in (1, 7))
    assert (few.estimate["latent"].shape, many.estimate["latent"].shape) == ((30, 200, 1), (30, 200, 7))


def test_parts_that_only_add_span_the_factors_and_more():
    found = worlds.scored(Nmf(), worlds.FACTORS)
    assert found["r2_of_truth"] > 0.8
    assert found["r2_of_answer"] < 0.8


def test_components_of_one_condition_tell_that_condition_alone():
    training = worlds.scored(PcaLatents(fitted_on=0), worlds.STIMULI, trials=40)
    both = worlds.scored(PcaLatents(), worlds.STIMULI, trials=40)
    assert training["r2_first"] > 0.8
    assert training["r2_new"] < 0.65
    assert both["r2_new"] > 0.8
    assert "condition 7" in worlds.finding_of(PcaLatents(fitted_on=7), worlds.STIMULI, trials=40).abstained


@pytest.mark.parametrize("method", [TensorComponents(n_factors=2), DemixedPca(), PcaLatents(n_factors=2)])
def test_factors_of_one_time_course_and_a_size_in_each_trial_are_found(method):
    seen, latent = worlds.planted_tensor()
    finding = method.analyse(seen, np.random.default_rng(0))
    truth = truths.latents(latent, np.array(seen.attrs["brief"]["times"]))
    found = score(finding, truth, "latents", brief=seen.attrs["brief"])
    assert found["r2_of_truth"] > 0.9
    assert found["r2_of_answer"] > 0.6  # demixed components may be more than two: of time, and of the condition


def test_factors_that_take_another_course_in_each_trial_are_no_tensor():
    assert "from trial to trial" in worlds.finding_of(TensorComponents(), worlds.FACTORS).abstained


def test_demixed_components_need_conditions_and_something_that_follows_them():
    assert "conditions" in missing(worlds.world(worlds.FACTORS)[0], DemixedPca.needs)
    seen = worlds.world(worlds.NOISE)[0].assign(condition=("trial", np.arange(30) % 2))
    assert "neither time nor the conditions" in DemixedPca().analyse(seen, np.random.default_rng(0)).abstained
    alone = seen.assign(condition=("trial", np.zeros(30, int)))
    assert "two conditions" in DemixedPca().analyse(alone, np.random.default_rng(0)).abstained


def test_targeted_axes_are_those_of_the_variables_that_activity_follows():
    seen, latent = worlds.planted_tensor()
    amounts = np.abs(latent).max(axis=1) * np.sign(latent[:, 12])
    noise = np.random.default_rng(1).standard_normal((24, 1))
    shown = np.concatenate([amounts, noise], axis=1)[:, None, :].repeat(50, axis=1)
    told = seen.assign(stimulus=(("trial", "time", "feature"), shown)).assign_coords(time=seen["sample_time"].values)
    finding = TargetedReduction().analyse(told.assign_attrs(seen.attrs), np.random.default_rng(0))
    assert finding.notes["variables"] == 2  # and not the noise
    found = score(finding, truths.latents(latent, seen["sample_time"].values), "latents", brief=seen.attrs["brief"])
    assert min(found["r2_of_truth"], found["r2_of_answer"]) > 0.9
    silent = told.assign(signal=(told["signal"].dims, np.random.default_rng(2).normal(10, 1, told["signal"].shape)))
    silent["signal"].attrs.update(seen["signal"].attrs)
    assert "follows no variable" in TargetedReduction().analyse(silent, np.random.default_rng(0)).abstained
    assert "differs between trials" in TargetedReduction().analyse(worlds.small(), np.random.default_rng(0)).abstained


def test_what_a_method_cannot_use_it_abstains_from():
    rng = np.random.default_rng(0)
    for method in ALL[:-1]:
        assert "units" in method.analyse(worlds.small(units=2), rng).abstained
        assert "units are active" in method.analyse(worlds.silent(), rng).abstained
    constant = worlds.planted_tensor()[0]
    constant = constant.assign(signal=constant["signal"].copy(data=np.full(constant["signal"].shape, 0.1)))
    for method in (PcaLatents(n_factors=2), FactorAnalysis(), Ica(), Cca(), Nmf(), TensorComponents()):
        assert "0 of 20 units are active" in method.analyse(constant, rng).abstained
    negative = worlds.planted_tensor()[0]
    negative = negative.assign(signal=negative["signal"] - 100)
    assert "never negative" in Nmf().analyse(negative, rng).abstained
    assert "needs trials of 2 to 10 bins" in Gpfa(longest=10).analyse(worlds.small(), rng).abstained


def test_answers_stand_at_the_times_that_are_asked_for():
    line = np.arange(5.0)[None, :, None]
    asked = at_times(line, np.arange(5) * 0.2, np.array([0.0, 0.3, 0.8, 2.0]))
    np.testing.assert_allclose(asked[0, :, 0], [0, 1.5, 4, 4])
    assert at_times(line[:, :1], np.zeros(1), np.arange(3.0)).shape == (1, 3, 1)


def test_each_moment_of_a_trial_has_the_same_power_before_factors_are_counted():
    loud = np.random.default_rng(0).standard_normal((50, 10, 8)) * np.linspace(1, 5, 10)[:, None]
    power = np.square(steady(loud).reshape(50, 10, 8)).mean(axis=(0, 2))
    np.testing.assert_allclose(power, 1, atol=0.01)
