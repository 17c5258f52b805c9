"""No rig does the interventions that a method is to predict, whatever they are dressed up as."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from circuits.causal.redundant import Redundant
from simlab.contracts import Budget, BudgetExceeded, SimlabError
from simlab.data import bare
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.stimulating.ideal import Ideal
from simlab.lab.held_out import check_held_out
from simlab.lab.rig import Setup, known_of_units, mounted
from simlab.session import Perturbation, Session

BRIEF = {"interventions": ((0, 2), (1, 2, 3))}
UNITS = xr.Dataset({"unit_region": ("unit", np.array([0, 1, 1, 2, 2]))})
REGIONS = ("gate", "copies", "others")


def pulse(targets=(), kind="silence", strength=1.0, start=0.0, stop=1.0, trials=None, **more):
    return Perturbation(kind, tuple(targets), strength, start, stop, trials, **more)


REFUSED = {
    "just the set": [pulse((2, 0))],
    "one after the other": [pulse((0,), stop=0.5), pulse((2,), start=0.5)],
    "twice over": [pulse((0, 2)), pulse((2, 0, 0))],
    "a lesion": [pulse((0, 2), "lesion")],
    "a clamp": [pulse((0, 2), "clamp", 0.0)],
    "stimulated": [pulse((0, 2), "stimulate")],
    "cut": [pulse((0, 2), "cut")],
    "one cut, one silenced": [pulse((0,), "cut"), pulse((2,))],
    "on one trial of many": [pulse((0,)), pulse((2,), trials=(3,))],
    "a region and a unit": [pulse(region="region 1"), pulse((3,))],
    "with another that is left alone": [pulse((0, 2)), pulse((4,), strength=0.0)],
    "with another for an instant": [pulse((0, 2)), pulse((4,), stop=1e-6)],
    "with another that is freed": [pulse((0, 2, 4)), pulse((4,), "stimulate", 10.0)],
    "with another that is silenced less": [pulse((0, 2, 4), strength=0.1)] + [pulse((0, 2), strength=0.1)] * 9,
}
DONE = {
    "nothing": [],
    "one unit": [pulse((0,))],
    "another pair": [pulse((0, 1))],
    "a larger set, all alike": [pulse((0, 2, 4))],
    "a larger set, one by one": [pulse((0,)), pulse((2,)), pulse((4,))],
    "regions, all alike": [pulse(region="region 0"), pulse(region="region 1")],
    "its units on different trials": [pulse((0,), trials=(0, 1)), pulse((2,), trials=(2,))],
    "all units": [pulse(range(5))],
    "part of it and more": [pulse((0, 4)), pulse((1,), "stimulate")],
}


@pytest.mark.parametrize("pulses", REFUSED.values(), ids=REFUSED)
def test_a_trial_that_shows_what_a_held_out_intervention_does_is_refused(pulses):
    with pytest.raises(
        SimlabError, match="the question holds out the interventions of its brief, got a trial on which"
    ):
        check_held_out(Session(4, 1.0, perturbations=tuple(pulses)), BRIEF, UNITS)


@pytest.mark.parametrize("pulses", DONE.values(), ids=DONE)
def test_all_else_is_done(pulses):
    check_held_out(Session(4, 1.0, perturbations=tuple(pulses)), BRIEF, UNITS)


@pytest.mark.parametrize("pulses", REFUSED.values(), ids=REFUSED)
def test_a_question_that_holds_nothing_out_forbids_nothing(pulses):
    check_held_out(Session(4, 1.0, perturbations=tuple(pulses)), {}, UNITS)


def test_where_there_is_one_region_it_is_all_units():
    session = Session(1, 1.0, perturbations=(pulse(region="region 0"),))
    with pytest.raises(SimlabError, match="holds out"):
        check_held_out(session, {"interventions": ((0, 1, 2),)}, xr.Dataset(coords={"unit": range(3)}))


@pytest.fixture
def setup():
    rng = np.random.default_rng(0)
    subject = Redundant(copies=3).subject(rng)
    implant = Perfect().implant(subject.anatomy, rng)
    return Setup(
        lambda trials, duration: subject.session(trials=trials, duration=duration, rng=rng),
        lambda session: bare(implant.record(subject.run(session, rng), rng)),
        Ideal().install(subject.anatomy, implant.key, rng),
        5,
        tuple(subject.anatomy["region"].values.tolist()),
    )


def test_the_rig_refuses_it_before_it_costs_anything(setup):
    known = known_of_units(5, {"unit_region": np.arange(5)})
    with mounted(setup, known, Budget(trials=10), BRIEF) as rig:
        session = rig.session(trials=4, duration=1.0)
        for how in (pulse((0, 2)), pulse((0, 2), "lesion")):
            with pytest.raises(SimlabError, match=r"done to units \[0, 2\]|done to units 0, 2") as refused:
                rig.record(session.perturbed(how))
            assert not isinstance(refused.value, BudgetExceeded)
        with pytest.raises(SimlabError, match="holds out"):
            rig.record(session.perturbed(pulse(region="region 0"), pulse(region="region 2")))
        assert rig.spent == Budget(0, 0.0, 0, 0)
        rig.brief["interventions"] = ()  # a copy: nothing is allowed by forgetting it
        with pytest.raises(SimlabError, match="holds out"):
            rig.record(session.perturbed(pulse((0, 2))))
        assert rig.record(session.perturbed(pulse((0, 2, 3))))["outcome"].size == 4
