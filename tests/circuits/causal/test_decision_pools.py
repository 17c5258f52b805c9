"""The spiking decision: it decides as animals do, and what each area is worth comes out by two routes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from circuits.causal.decision_follower import DecisionFollower
from circuits.causal.decision_network import borders
from circuits.causal.decision_pools import DecisionPools
from simlab.activity_statistics import interval_cv
from simlab.coalitions import members, shapley
from simlab.contracts import SimlabError
from simlab.data import bin_spikes, mean_rates
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.stimulating.ideal import Ideal
from simlab.questions.form import check_truth
from simlab.questions.necessity import Necessity
from simlab.session import Perturbation, Session
from simlab.streams import stream

TRIALS, TRUE = 60, 12
CIRCUIT = DecisionPools(truth_trials=TRUE)


class Animal:
    """A subject with its natural session, what it does there, and what every set of its areas achieves."""

    def __init__(self, circuit):
        self.subject = circuit.subject(stream(1, "subject"))
        self.session = self.subject.session(trials=TRIALS, duration=1.0, rng=stream(1, "session"))
        self.activity = self.run(self.session)
        self.coherence = self.subject.coherences[np.array(self.session.conditions)]
        self.outcome = self.activity["outcome"].values
        self.place = borders(self.subject.pools)
        self.known = {}

    def run(self, session):
        return self.subject.run(session, stream(1, "run"))

    def rates(self):
        """(trial, pool) [Hz] in the time of the response."""
        counts = bin_spikes(self.activity, 0.2).values[:, 3:].mean(axis=1) / 0.2
        return {name: counts[:, at].mean(axis=1) for name, at in self.place.items()}

    def silenced(self, *regions, targets=()):
        """Mean outcome when these are inhibited by the ideal stimulator, another way than the truth's."""
        if (regions, targets) not in self.known:
            key = Perfect().implant(self.subject.anatomy, stream(1, "implant")).key
            actuator = Ideal().install(self.subject.anatomy, key, stream(1, "stimulator"))
            aims = [Perturbation("silence", (), 1.0, 0.0, 1.0, region=region) for region in regions]
            aims += [Perturbation("silence", targets, 1.0, 0.0, 1.0)] if targets else []
            effects = [effect for aim in aims for effect in actuator.aim(aim)]
            self.known[regions, targets] = self.run(self.session.perturbed(*effects))["outcome"].values.mean()
        return self.known[regions, targets]


@pytest.fixture(scope="module")
def animal():
    return Animal(CIRCUIT)


@pytest.fixture(scope="module")
def rival():
    return Animal(DecisionFollower().imitating(CIRCUIT))


@pytest.fixture(scope="module")
def table(animal):
    """(set, trial)."""
    return animal.subject.outcomes(stream(1, "truth"))


# --- it decides


def test_it_is_right_more_often_the_stronger_the_evidence_and_as_often_to_either_side(animal):
    by = [animal.outcome[np.isclose(np.abs(animal.coherence), c)].mean() for c in CIRCUIT.coherences]
    assert by == sorted(by)
    assert by[0] < 0.9
    assert by[2] > 0.9
    assert 0.7 < animal.outcome.mean() < 0.95
    left, right = (animal.outcome[np.sign(animal.coherence) == side].mean() for side in (-1, 1))
    assert abs(left - right) < 0.35  # each of 30 trials: their difference has a standard deviation of 0.1


def test_neurons_fire_irregularly_at_the_rates_of_cortex(animal):
    rate, cv = mean_rates(animal.activity), interval_cv(animal.activity)
    for pool, at in animal.place.items():
        assert 2 < rate[at].mean() < 40, pool
        assert 0.7 < np.nanmean(cv[at]) < 1.5, pool


def test_one_side_wins_the_behaviour_shows_it_and_the_bystander_knows(animal):
    rates, chosen = animal.rates(), animal.outcome == 1
    for area in ("integrator", "motor", "bystander", "sensory a", "sensory b"):
        to_right = (rates[f"{area} right"] - rates[f"{area} left"])[chosen]
        assert np.corrcoef(to_right, animal.coherence[chosen])[0, 1] > 0.5, area
    behaviour = animal.activity["behaviour"].values[:, 30:].mean(axis=1)
    assert behaviour[:, 1] == pytest.approx(rates["motor right"], abs=1.0)
    # trial by trial, within one coherence, it goes with the choice as well as the motor area itself
    weak = np.isclose(animal.coherence, 0.15)
    by = rates["bystander right"] - rates["bystander left"]
    assert by[weak & chosen].mean() > by[weak & ~chosen].mean() + 2


# --- what areas are worth


def test_the_truth_is_the_shapley_value_of_the_table_shared_by_an_areas_neurons(animal, table):
    truth = animal.subject.importance(table)
    check_truth(truth, Necessity())
    value, size = shapley(table.mean(axis=1)), np.bincount(animal.subject.region)
    assert truth["importance"].values == pytest.approx((value / size)[animal.subject.region])
    summed = np.bincount(animal.subject.region, truth["importance"].values)
    assert summed.sum() == pytest.approx(table[-1].mean() - table[0].mean())
    projected = Necessity().project(truth, Perfect().implant(animal.subject.anatomy, stream(1, "implant")).key)
    needed = {animal.subject.regions[r] for r in set(animal.subject.region[projected["needed"].values])}
    assert {"sensory a", "sensory b", "integrator", "motor"} <= needed
    assert "bystander" not in needed
    assert not projected["ambiguous"].values[animal.place["bystander left"]].any()


def test_inhibiting_areas_at_the_rig_does_what_the_table_says(animal, table):
    values, sets = table.mean(axis=1), members(6)
    for regions in (("sensory a",), ("sensory a", "sensory b"), ("integrator",), ("motor",), ("bystander",)):
        intact = ~np.isin(animal.subject.regions, regions)
        expected = values[(sets == intact).all(axis=1)][0]
        # 12 trials against 60
        assert animal.silenced(*regions) == pytest.approx(expected, abs=3 * np.sqrt(0.25 / TRUE + 0.25 / TRIALS)), (
            regions
        )
    assert animal.silenced("bystander") == animal.outcome.mean()
    assert animal.silenced("motor") == 0


def test_either_sensory_area_will_do_and_without_both_there_is_nothing(animal):
    natural = animal.outcome.mean()
    alone, both = natural - animal.silenced("sensory a"), natural - animal.silenced("sensory a", "sensory b")
    assert alone < 0.25
    assert both > 0.5


@pytest.mark.slow
@pytest.mark.parametrize("circuit", [DecisionPools(), DecisionFollower()], ids=lambda c: c.name)
def test_the_truth_as_it_is_told(circuit):
    subject = circuit.subject(stream(1, "subject"))
    truth = subject.truth("necessity", None, stream(1, "truth"))
    worth = dict(zip(subject.regions, np.bincount(subject.region, truth["importance"].values), strict=True))
    error = truth["importance_se"].values * np.bincount(subject.region)[subject.region]
    assert error.max() < 0.02
    assert worth["bystander"] == 0
    assert worth["motor"] > 0.2
    if circuit.name == "decision_pools":
        assert worth["sensory b"] == pytest.approx(worth["sensory a"], abs=0.05)
        assert worth["sensory b"] > 0.04
    else:
        assert worth["sensory b"] == 0
        assert worth["sensory a"] > 0.2


def test_silencing_one_neuron_does_next_to_nothing(animal):
    unit = animal.place["motor left"].start
    assert abs(animal.silenced(targets=(unit,)) - animal.outcome.mean()) < 0.15  # the same noise: a few trials tip over


# --- the rival


def test_the_follower_looks_and_decides_alike_and_its_loss_costs_nothing(animal, rival):
    assert rival.outcome.mean() == pytest.approx(animal.outcome.mean(), abs=0.25)
    mine, other = animal.rates(), rival.rates()
    for pool in animal.place:
        assert other[pool].mean() == pytest.approx(mine[pool].mean(), abs=1.5), pool
    assert rival.silenced("sensory b") == rival.outcome.mean()
    assert rival.silenced("sensory a") < 0.3
    weight = rival.subject.truth("connectivity", None, stream(1, "truth"))["weight"].values
    b = np.isin(rival.subject.region, [1])
    assert not weight[b].any()
    assert (weight[:, b] != 0).any()


# --- its edges


def test_a_session_without_task_runs_and_odd_parameters_are_refused(animal):
    bare = animal.run(Session(2, 0.2))
    assert bare["outcome"].size == 2
    shown = animal.run(replace(animal.subject.session(trials=3, duration=0.5, rng=stream(2, "s")), conditions=None))
    assert set(shown["outcome"].values) <= {0.0, 1.0}
    with pytest.raises(SimlabError, match="dt must be at most"):
        DecisionPools(dt=2e-3)
    assert DecisionPools().prior(stream(1, "prior")) != DecisionPools().prior(stream(2, "prior"))
