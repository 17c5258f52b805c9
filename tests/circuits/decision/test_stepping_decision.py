"""Ramps and steps: one trial average, one mean rate, nearly one variability, and latents that are those that ran."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from circuits.decision import diffusion, task
from circuits.decision.ramping_decision import RampingDecision
from circuits.decision.stepping_decision import SteppingDecision
from simlab.activity_statistics import fano_factors
from simlab.contracts import SimlabError
from simlab.data import bin_spikes, mean_rates
from simlab.session import Session, Stimulus
from simlab.streams import stream

RAMPS = RampingDecision(baseline_drift=0.0, n_neurons=30)
STEPS = SteppingDecision().imitating(RAMPS)
TRIALS, DURATION = 6000, 1.0
STARTS = np.arange(200) * diffusion.STEP


def latents(circuit, session):
    return circuit.paths(session, STARTS, stream(1, circuit.name))


@pytest.fixture(scope="module")
def many():
    """A long session, and both circuits' latents and choices in it."""
    session = task.session(RAMPS.coherences, TRIALS, DURATION, stream(1, "session"))
    return session, latents(RAMPS, session), latents(STEPS, session)


@pytest.fixture(scope="module")
def activities():
    """150 trials of either circuit."""
    found = {}
    for circuit in (RAMPS, STEPS):
        subject = circuit.subject(stream(2, "subject"))
        session = subject.session(trials=150, duration=DURATION, rng=stream(2, "session"))
        found[circuit.name] = subject, subject.run(session, stream(2, "run"))
    return found


def test_for_every_coherence_and_choice_the_average_over_trials_is_the_same(many):
    session, (ramp, ramp_choice), (step, step_choice) = many
    condition = np.array(session.conditions)
    z = []
    for level in range(6):
        for side in (-1, 1):
            one, other = (
                ramp[(condition == level) & (ramp_choice == side)],
                step[(condition == level) & (step_choice == side)],
            )
            error = np.sqrt(one.var(axis=0) / len(one) + other.var(axis=0) / len(other))
            z.append(((one.mean(axis=0) - other.mean(axis=0)) / np.maximum(error, 0.01))[40::20])
    assert np.abs(z).max() < 4  # 96 values, neighbours correlated: a sound match exceeds 3.5 in one of 20 runs
    assert np.std(z) < 1.3


def test_choices_are_as_often_right_and_follow_the_formula(many):
    session, (_, ramp), (_, step) = many
    coherence = task.signed(RAMPS.coherences)[np.array(session.conditions)]
    for level in np.unique(coherence):
        mine = coherence == level
        expected = diffusion.right_from(np.zeros(1), RAMPS.drift_gain * level, RAMPS.diffusion)[0]
        for choice in (ramp, step):
            # a standard error is .016; steps of the diffusion are finite, which moves a bound outwards
            assert (choice[mine] > 0).mean() == pytest.approx(expected, abs=0.06)


def test_without_evidence_both_have_the_covariances_of_a_martingale():
    session = Session(4000, 1.0, Stimulus(("evidence",), np.zeros((4000, 20, 1)), 0.05))
    for circuit in (RAMPS, STEPS):
        x, _ = latents(circuit, session)
        early, middle, late = x[:, 30], x[:, 80], x[:, 190]
        spread = early.var()
        assert np.cov(early, middle)[0, 1] == pytest.approx(spread, rel=0.15)
        assert np.cov(early, late)[0, 1] == pytest.approx(spread, rel=0.2)


def test_steps_are_at_one_of_three_levels_and_ramps_between_them(many):
    _, (ramp, _), (step, _) = many
    assert set(np.unique(step)) == {-1.0, 0.0, 1.0}
    assert (np.abs(np.diff(step, axis=1)) > 0).sum(axis=1).max() == 1
    assert 0.3 < ((np.abs(ramp) > 0.05) & (np.abs(ramp) < 0.95)).mean() < 0.7


def test_rates_and_fano_factors_match(activities):
    (_, ramps), (_, steps) = activities.values()
    one, other = mean_rates(ramps), mean_rates(steps)
    assert other.mean() == pytest.approx(one.mean(), rel=0.05)
    assert np.corrcoef(one, other)[0, 1] > 0.95  # the same neurons
    assert fano_factors(steps, 0.1).mean() == pytest.approx(fano_factors(ramps, 0.1).mean(), rel=0.1)
    assert fano_factors(steps, 0.8).mean() == pytest.approx(fano_factors(ramps, 0.8).mean(), rel=0.2)


@pytest.mark.parametrize("circuit", [RAMPS, STEPS], ids=lambda c: c.name)
def test_the_latents_told_are_those_that_the_neurons_followed(circuit, activities):
    subject, activity = activities[circuit.name]
    truth = subject.truth("latents", activity, stream(2, "truth"))
    x = truth["latent"].values[:, :, 0]
    counts = bin_spikes(activity, 0.05).values
    weights = subject.side * subject.depth * subject.mid
    read = counts @ weights / (0.05 * (subject.depth * weights * subject.side * subject.mid).sum())
    read -= 0.05 * subject.mid @ weights / (0.05 * (subject.depth * weights * subject.side * subject.mid).sum())
    slope, offset = np.polyfit(x[:, 2::5].ravel(), read.ravel(), 1)
    assert slope == pytest.approx(1.0, abs=0.05)
    assert offset == pytest.approx(0.0, abs=0.05)
    assert np.corrcoef(x[:, 2::5].ravel(), read.ravel())[0, 1] > 0.7
    with pytest.raises(SimlabError, match="run a session first"):
        subject.latents(activity.assign_attrs({"latents": 1}).drop_attrs())


def test_baselines_drift_slowly_by_as_much_as_is_said():
    subject = replace(RAMPS, baseline_drift=0.3).subject(stream(3, "subject"))
    gains = np.log(subject.baselines(4000, stream(3, "gains")))
    assert gains.std() == pytest.approx(0.3, abs=0.03)
    apart = [np.mean(gains[lag:] * gains[:-lag]) / gains.var() for lag in (5, 60)]
    assert apart[0] == pytest.approx(np.exp(-5 / 20), abs=0.15)
    assert apart[1] < 0.3
    assert np.exp(gains).mean() == pytest.approx(1.0, abs=0.03)


def test_the_rivals_have_no_synapse_and_are_driven():
    for circuit in (RAMPS, STEPS):
        subject = circuit.subject(stream(3, "subject"))
        assert not subject.truth("connectivity", None, stream(3, "truth"))["weight"].values.any()
        assert str(subject.truth("dynamics", None, stream(3, "truth"))["label"].values) == "driven"
