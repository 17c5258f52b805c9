"""The rig spends its budget, aims through the stimulator, and holds no truth."""

from __future__ import annotations

import contextlib
import copy
from dataclasses import asdict, replace

import numpy as np
import pytest
from toys import ToyChain

from simlab.contracts import Budget, BudgetExceeded, SimlabError
from simlab.data import bare
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.stimulating.ideal import Ideal
from simlab.lab.rig import MOST_SECONDS, MOST_TRIALS, Rig, Setup, known_of_units, mounted
from simlab.session import Effect, Perturbation, Session, Stimulus

NONE = {"perturbations": 0, "interventions": 0}


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
        ("cortex",),
    )


def rig_on(setup: Setup, budget: Budget):
    return mounted(setup, known_of_units(6, {"unit_x": np.zeros(6)}), budget, {"candidates": ("a", "b")})


def test_a_session_costs_its_trials_seconds_and_pulses(setup):
    with rig_on(setup, Budget(20, 30.0, 10)) as rig:
        rig.record(
            rig.session(trials=4, duration=2.0).perturbed(Perturbation("stimulate", (1,), 1.0, 0.5, 0.6, (0, 3)))
        )
        assert rig.spent == Budget(4, 8.0, 2, 1)
        assert rig.remaining == Budget(16, 22.0, 8)


@pytest.mark.parametrize(
    "budget", [Budget(trials=3), Budget(seconds=3.9), Budget(perturbations=3), Budget(interventions=0)]
)
def test_going_over_any_part_of_the_budget_is_refused_before_it_is_spent(setup, budget):
    with rig_on(setup, budget) as rig:
        session = Session(4, 1.0).perturbed(Perturbation("stimulate", (1,), 1.0, 0.5, 0.6))
        with pytest.raises(BudgetExceeded, match="remain of the budget"):
            rig.record(session)
        assert rig.spent == Budget(0, 0.0, 0, 0)


@pytest.mark.parametrize(
    ("trials", "duration", "refusal", "rule"),
    [
        (21, 1.0, BudgetExceeded, "costs 21 trials, but 20 remain"),
        (2, 16.0, BudgetExceeded, "costs 32 seconds, but 30 remain"),
        (3 * 10**8, 1e-9, BudgetExceeded, "costs 3e"),
        (10**400, 1.0, SimlabError, "trials must be a whole number"),
        (-1, 1.0, SimlabError, "trials must be a whole number >= 1"),
        (True, 1.0, SimlabError, "whole number"),
        (2.0, 1.0, SimlabError, "whole number"),
        (2, float("nan"), SimlabError, "finite"),
        (2, -1.0, SimlabError, "> 0 s"),
        (2, 1e-9, SimlabError, "a trial lasts"),
        (2, "1", SimlabError, "finite number, got '1'"),
    ],
)
def test_what_cannot_be_recorded_is_not_even_proposed(setup, trials, duration, refusal, rule):
    setup.propose = lambda *asked: pytest.fail("the subject was asked")
    with rig_on(setup, Budget(20, 30.0, 10)) as rig, pytest.raises(refusal, match=rule):
        rig.session(trials=trials, duration=duration)


@pytest.mark.parametrize("session", [Session(MOST_TRIALS + 1, 0.01), Session(1, MOST_SECONDS + 1)])
def test_without_a_budget_a_session_still_has_its_bounds(setup, session):
    setup.run = lambda session: pytest.fail("the subject was run")
    with rig_on(setup, Budget()) as rig:
        with pytest.raises(SimlabError, match="record several"):
            rig.record(session)
        with pytest.raises(SimlabError, match="record several"):
            rig.session(trials=session.trials, duration=session.duration)


def test_targets_outside_the_implant_are_refused(setup):
    with rig_on(setup, Budget()) as rig:
        session = rig.session(trials=1, duration=1.0).perturbed(Perturbation("stimulate", (6,), 1.0, 0.5, 0.6))
        with pytest.raises(SimlabError, match=r"units of the implant, 0\.\.5, got \[6\]"):
            rig.record(session)


def test_units_that_a_synapse_is_onto_outside_the_implant_are_refused(setup):
    with rig_on(setup, Budget()) as rig:
        session = rig.session(trials=1, duration=1.0)
        for outside in (6, -1):
            edit = Perturbation("edit", (0,), 2.0, 0.5, 0.6, onto=(1, outside))
            with pytest.raises(SimlabError, match=rf"onto must be units of the implant, 0\.\.5, got \[{outside}\]"):
                rig.record(session.perturbed(edit))
        assert rig.record(session.perturbed(Perturbation("edit", (0,), 2.0, 0.5, 0.6, onto=(1,)))).sizes["unit"] == 6


def test_a_perturbation_per_neuron_cannot_be_smuggled_past_the_stimulator(setup):
    with rig_on(setup, Budget()) as rig:
        session = rig.session(trials=1, duration=1.0).perturbed(Effect("hold", np.ones(6), 0.5, 0.6))
        with pytest.raises(SimlabError, match="aimed at units or a region"):
            rig.record(session)


def test_a_region_is_aimed_at_by_name(setup):
    with rig_on(setup, Budget()) as rig:
        session = rig.session(trials=1, duration=1.0)
        recording = rig.record(session.perturbed(Perturbation("stimulate", (), 1.0, 0.5, 0.6, region="region 0")))
        assert set(recording["spike_unit"].values[np.isclose(recording["spike_time"], 0.5)]) == set(range(6))
        with pytest.raises(SimlabError, match="one of the subject's, region 0, got 'tectum'"):
            rig.record(session.perturbed(Perturbation("cut", (), 1.0, 0.5, 0.6, region="tectum")))


def test_an_intervention_is_paid_for_once_in_an_investigation(setup):
    def pulse(*targets, trials=None, strength=1.0, start=0.02):
        return Perturbation("stimulate", targets, strength, start, 0.05, trials)

    def spent(*pulses):
        rig.record(Session(4, 0.1).perturbed(*pulses))
        return rig.spent.interventions

    with rig_on(setup, Budget(interventions=6)) as rig:
        assert spent() == 0
        assert spent(pulse(0, trials=(0,)), pulse(1, trials=(1,)), pulse(0, trials=(2,)), pulse(1, trials=(2,))) == 3
        assert spent(pulse(1, 1, start=0.03), pulse(0, trials=(3,))) == 3  # 1 alone, and with 0: both done before
        assert spent(pulse(0, 1, trials=(0,))) == 4  # both in one perturbation: another set of perturbations
        assert spent(pulse(0, strength=2.0, trials=(0,))) == 5
        assert rig.remaining.interventions == 1
        with pytest.raises(BudgetExceeded, match="costs 2 interventions, but 1 remain of the budget"):
            spent(pulse(2, trials=(0,)), pulse(3, trials=(1,)))
        assert rig.spent.interventions == 5  # what was refused was not done
        assert spent(pulse(2, trials=(0,))) == 6
        assert spent(pulse(2)) == 6
        assert spent() == 6


def test_regions_are_numbered_at_random_and_aimed_at_by_number(setup):
    seen = []

    class Named:
        def aim(self, perturbation):
            seen.append(perturbation.region)
            if perturbation.kind == "cool":
                raise SimlabError("the adder of adder II lies too deep (adders do), aim at decoder: or at none")
            return (perturbation.effect(np.ones(6)),)

    def fail(session):
        raise SimlabError("a neuron of the adder cannot be held") from KeyError("adder")

    setup.actuator, setup.regions = Named(), ("decoder", "adder II", "adder")
    with rig_on(setup, Budget()) as rig:
        session = rig.session(trials=1, duration=1.0)

        def aim(region, kind="silence"):
            return session.perturbed(Perturbation(kind, (), 1.0, 0.5, 0.6, region=region))

        for code in range(3):
            rig.record(aim(f"region {code}"))
        assert seen == list(setup.regions)
        for region in ("adder", "region 3", "region -1", "Region 0", "0", "region 00"):
            with pytest.raises(SimlabError, match=rf"the subject's, region 0 \.\. region 2, got '{region}'"):
                rig.record(aim(region))
        with pytest.raises(SimlabError) as refusal:
            rig.record(aim("region 0", "cool"))
        assert str(refusal.value) == ("the region 2 of region 1 lies too deep (adders do), aim at region 0: or at none")
        setup.run = fail
        with pytest.raises(SimlabError, match="a neuron of the region 2 cannot be held") as refusal:
            rig.record(session)
        assert refusal.value.__cause__ is refusal.value.__context__ is None
        assert rig.spent.trials == 4


def test_a_stimulator_that_may_fail_is_told_the_trials_by_number(setup):
    class Failing:
        by_trial = True

        def aim(self, perturbation):
            asked.append(perturbation.trials)
            return (replace(perturbation, trials=perturbation.trials and perturbation.trials[1:]).effect(np.ones(6)),)

    asked, seen = [], []
    setup.actuator, setup.run = Failing(), lambda session: seen.append(session)
    pulses = [Perturbation("silence", (1,), 1.0, 0.5, 1.0, trials) for trials in (None, (0, 2))]
    lesion = Perturbation("lesion", (1,), 1.0, 0.0, 1.0)
    with rig_on(setup, Budget()) as rig:
        rig.record(Session(3, 1.0).perturbed(*pulses, lesion))
        assert rig.spent.perturbations == 3 + 2 + 3  # as asked, whatever failed
    assert asked == [(0, 1, 2), (0, 2), None]
    assert [effect.trials for effect in seen[0].perturbations] == [(1, 2), (2,), None]


def test_effects_that_outlast_the_trial_reach_the_subject(setup):
    class Rebounding:
        def aim(self, perturbation):
            return perturbation.effect(np.ones(6)), Effect("drive", np.ones(6), perturbation.stop, 9.0)

    seen = []
    setup.actuator, setup.run = Rebounding(), lambda session: seen.append(session)
    with rig_on(setup, Budget(perturbations=1)) as rig:
        rig.record(rig.session(trials=1, duration=1.0).perturbed(Perturbation("silence", (1,), 1.0, 0.5, 1.0)))
    assert [(effect.start, effect.stop) for effect in seen[0].perturbations] == [(0.5, 1.0), (1.0, 9.0)]


def spendings(rig) -> int:
    """How many single trials can still be bought."""
    bought = 0
    for _ in range(40):
        with contextlib.suppress(BudgetExceeded):
            rig.record(Session(1, 0.1))
            bought += 1
    return bought


def test_no_attribute_of_a_rig_buys_a_trial(setup):
    with rig_on(setup, Budget(20, 30.0, 10)) as rig, rig_on(setup, Budget()) as rich:
        rich_names = [name for name in dir(rich) if name.startswith("_") and not name.startswith("__")]
        for name in ("remaining", "spent", "_number", "_key", *rich_names):
            for put in (setattr, object.__setattr__):
                with pytest.raises(AttributeError):
                    put(rig, name, getattr(rich, name, 1))
        object.__setattr__(rig.remaining, "trials", 500)  # a copy of what the lab holds
        object.__setattr__(rig.spent, "trials", -500)
        rig.units["unit_x"].values[:] = 7.0
        rig.brief["candidates"] = ()
        assert spendings(rig) == 20
        assert asdict(rig.spent) == pytest.approx({"trials": 20, "seconds": 2.0} | NONE)
        assert rig.units["unit_x"].values.max() == 0
        assert list(rig.brief["candidates"]) == ["a", "b"]


def test_a_session_that_lies_about_its_cost_is_refused_or_costs_what_it_is(setup):
    class Cheap(Session):
        def n_perturbed_trials(self):
            return 0

    class Two(int):
        def __mul__(self, other):
            return 0

        def __gt__(self, other):
            return False

    class Free(Perturbation):
        trials = property(lambda self: ())

    pulse = Perturbation("stimulate", (1,), 1.0, 0.02, 0.03)
    forged = Session(2, 0.1)
    object.__setattr__(forged, "trials", Two(2))
    changed = Session(2, 0.1)
    object.__setattr__(changed, "trials", -100)
    smuggled = Session(2, 0.1)
    object.__setattr__(smuggled, "perturbations", (object.__new__(Free),))
    with rig_on(setup, Budget(20, 30.0, 10)) as rig:
        for session in (Cheap(2, 0.1).perturbed(pulse), changed, smuggled, {"trials": 2}, None):
            with pytest.raises(SimlabError):
                rig.record(session)
        assert rig.spent == Budget(0, 0.0, 0, 0)
        rig.record(forged)
        assert asdict(rig.spent) == pytest.approx({"trials": 2, "seconds": 0.2} | NONE)
        rig.record(Session(2, 0.1, perturbations=(p for p in (pulse, pulse))))
        assert asdict(rig.spent) == pytest.approx({"trials": 4, "seconds": 0.4, "perturbations": 4, "interventions": 1})


def test_what_happens_to_a_session_afterwards_changes_nothing_in_the_lab(setup):
    kept = Session(2, 1.0, Stimulus(("angle",), np.zeros((2, 1, 1)), 1.0))
    seen = []
    setup.propose, setup.run = lambda trials, duration: kept, lambda session: seen.append(session)
    with rig_on(setup, Budget()) as rig:
        given = rig.session(trials=2, duration=1.0)
        given.stimulus.values[:] = 5.0
        rig.record(given)
        given.stimulus.values[:] = 9.0
    assert kept.stimulus.values.max() == 0
    assert seen[0].stimulus.values.max() == 5


def test_a_rig_holds_nothing(setup):
    with rig_on(setup, Budget()) as rig:
        assert not hasattr(rig, "__dict__")
        assert Rig.__slots__ == ()


def test_a_rig_is_dead_after_its_method_and_so_are_its_copies(setup):
    with rig_on(setup, Budget()) as rig:
        for other in (copy.copy(rig), Rig()):
            with pytest.raises(SimlabError, match="or is a copy"):
                other.session(trials=1, duration=1.0)
    with pytest.raises(SimlabError, match="taken down when its method ended"):
        rig.session(trials=1, duration=1.0)
    assert repr(rig) == "<Rig that was taken down>"
