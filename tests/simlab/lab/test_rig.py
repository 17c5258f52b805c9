"""The rig spends its budget, aims through the stimulator, and holds no truth."""

from __future__ import annotations

import numpy as np
import pytest
from toys import ToyChain

from simlab.contracts import Budget, BudgetExceeded, SimlabError
from simlab.data import bare
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.stimulating.ideal import Ideal
from simlab.lab.rig import Rig, Setup, known_of_units, mounted
from simlab.session import Effect, Perturbation


@pytest.fixture
def setup() -> Setup:
    rng = np.random.default_rng(0)
    subject = ToyChain().subject(rng)
    implant = Perfect().implant(subject.anatomy, rng)
    return Setup(
        lambda trials, duration: subject.session(trials=trials, duration=duration, rng=rng),
        lambda session: bare(implant.record(subject.run(session, rng), rng)),
        Ideal().install(subject.anatomy, implant.key, rng),
        6,
    )


def rig_on(setup: Setup, budget: Budget):
    return mounted(setup, known_of_units(6, {"unit_x": np.zeros(6)}), budget, {"candidates": ("a", "b")})


def test_a_session_costs_its_trials_seconds_and_pulses(setup):
    with rig_on(setup, Budget(20, 30.0, 10)) as rig:
        rig.record(
            rig.session(trials=4, duration=2.0).perturbed(Perturbation("stimulate", (1,), 1.0, 0.5, 0.6, (0, 3)))
        )
        assert rig.spent == Budget(4, 8.0, 2)
        assert rig.remaining == Budget(16, 22.0, 8)


@pytest.mark.parametrize("budget", [Budget(trials=3), Budget(seconds=3.9), Budget(perturbations=3)])
def test_going_over_any_part_of_the_budget_is_refused_before_it_is_spent(setup, budget):
    with rig_on(setup, budget) as rig:
        session = rig.session(trials=4, duration=1.0).perturbed(Perturbation("stimulate", (1,), 1.0, 0.5, 0.6))
        with pytest.raises(BudgetExceeded, match="remain of the budget"):
            rig.record(session)
        assert rig.spent == Budget(0, 0.0, 0)


def test_targets_outside_the_implant_are_refused(setup):
    with rig_on(setup, Budget()) as rig:
        session = rig.session(trials=1, duration=1.0).perturbed(Perturbation("stimulate", (6,), 1.0, 0.5, 0.6))
        with pytest.raises(SimlabError, match=r"units of the implant, 0\.\.5, got \[6\]"):
            rig.record(session)


def test_a_perturbation_per_neuron_cannot_be_smuggled_past_the_stimulator(setup):
    with rig_on(setup, Budget()) as rig:
        session = rig.session(trials=1, duration=1.0).perturbed(Effect("hold", np.ones(6), 0.5, 0.6))
        with pytest.raises(SimlabError, match="aimed at units or a region"):
            rig.record(session)


def test_a_region_is_aimed_at_by_name(setup):
    with rig_on(setup, Budget()) as rig:
        session = rig.session(trials=1, duration=1.0)
        recording = rig.record(session.perturbed(Perturbation("stimulate", (), 1.0, 0.5, 0.6, region="cortex")))
        assert set(recording["spike_unit"].values[np.isclose(recording["spike_time"], 0.5)]) == set(range(6))
        with pytest.raises(SimlabError, match="one of the subject's, cortex, got 'tectum'"):
            rig.record(session.perturbed(Perturbation("cut", (), 1.0, 0.5, 0.6, region="tectum")))


def test_effects_that_outlast_the_trial_reach_the_subject(setup):
    class Rebounding:
        def aim(self, perturbation):
            return perturbation.effect(np.ones(6)), Effect("drive", np.ones(6), perturbation.stop, 9.0)

    seen = []
    setup.actuator, setup.run = Rebounding(), lambda session: seen.append(session)
    with rig_on(setup, Budget(perturbations=1)) as rig:
        rig.record(rig.session(trials=1, duration=1.0).perturbed(Perturbation("silence", (1,), 1.0, 0.5, 1.0)))
    assert [(effect.start, effect.stop) for effect in seen[0].perturbations] == [(0.5, 1.0), (1.0, 9.0)]


def test_a_rig_holds_a_number_and_its_budget_only(setup):
    with rig_on(setup, Budget()) as rig:
        assert not hasattr(rig, "__dict__")
        assert {type(getattr(rig, name)).__name__ for name in Rig.__slots__} == {"int", "Budget", "Dataset", "dict"}


def test_a_rig_is_dead_after_its_method(setup):
    with rig_on(setup, Budget()) as rig:
        pass
    with pytest.raises(KeyError):
        rig.session(trials=1, duration=1.0)
