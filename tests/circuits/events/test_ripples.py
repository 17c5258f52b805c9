"""Ripples and bursts: the same volleys, one with a rhythm; rates and participation as in the hippocampus."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import simlab
from circuits.events.population_bursts import PopulationBursts
from circuits.events.ripples import Ripples
from circuits.events.volleys import Volleys
from simlab.activity_statistics import interval_cv
from simlab.contracts import SimlabError
from simlab.session import Effect, Session

LONG = Session(4, 60.0)


def ran(circuit, session: Session = LONG):
    subject = circuit.subject(np.random.default_rng(1))
    return subject, subject.run(session, np.random.default_rng(2))


@pytest.fixture(scope="module")
def ripples():
    return ran(Ripples())


@pytest.fixture(scope="module")
def bursts():
    return ran(PopulationBursts().imitating(Ripples()))


def around(subject, activity: xr.Dataset, neurons: np.ndarray, width: float = 1e-3) -> np.ndarray:
    """(bin,) spikes of these neurons within 60 ms of an event, at their distance from its centre."""
    events = subject.events(4, 60.0, activity.attrs["events"])
    inside = np.isin(activity["spike_neuron"].values, neurons)
    trial, time = activity["spike_trial"].values[inside], activity["spike_time"].values[inside]
    apart = [time[trial == t] - s for t, s in zip(events.trial, events.time, strict=True)]
    return np.histogram(np.concatenate(apart), np.arange(-0.06, 0.06 + width / 2, width))[0]


def test_both_keep_their_contract() -> None:
    assert simlab.check(Ripples()).ok
    assert simlab.check(PopulationBursts()).ok


def test_the_truth_lists_the_events_of_this_activity(ripples) -> None:
    subject, activity = ripples
    told = subject.truth("events", activity, np.random.default_rng(0))
    # a renewal process with a mean interval of 2.5 s: some 96 in 240 s, standard deviation below 10
    assert float(told["rate"]) == pytest.approx(24, abs=8)
    assert np.diff(told["event_time"].values[told["event_trial"].values == 0]).min() >= 0.15
    assert set(told["content"].values.tolist()) == {-1, 1}
    counts = around(subject, activity, np.arange(192)).reshape(12, 10).sum(axis=1)
    assert counts[5:7].mean() > 3 * counts[[0, 11]].mean()  # the spikes are where the truth says
    with pytest.raises(LookupError, match="run one"):
        subject.truth("events", None, np.random.default_rng(0))


def test_without_a_rhythm_there_is_no_ripple(bursts) -> None:
    subject, activity = bursts
    told = subject.truth("events", activity, np.random.default_rng(0))
    assert told.sizes["event"] == 0
    assert float(told["rate"]) == 0


def test_interneurons_follow_the_ripple_and_not_the_burst(ripples, bursts) -> None:
    found = {}
    for name, (subject, activity) in {"ripples": ripples, "bursts": bursts}.items():
        kinds = subject.anatomy["cell_type"].values
        counts = around(subject, activity, np.flatnonzero(kinds == "I"), 5e-4).astype(float)
        phase = np.exp(2j * np.pi * 170.0 * 5e-4 * np.arange(len(counts)))
        middle = slice(80, 160)  # +- 20 ms: where cycles of events of unlike frequency still agree
        found[name] = abs((counts[middle] * phase[middle]).sum()) / counts[middle].sum()
    assert found["ripples"] > 0.15
    assert found["bursts"] < 0.05


def test_rates_irregularity_and_participation_are_those_of_the_hippocampus_at_rest(ripples, bursts) -> None:
    rates = {}
    for name, (subject, activity) in {"ripples": ripples, "bursts": bursts}.items():
        kinds = subject.anatomy["cell_type"].values
        rate = np.bincount(activity["spike_neuron"].values, minlength=len(kinds)) / 240
        rates[name] = {kind: rate[kinds == kind].mean() for kind in "EI"}
        assert 0.2 < np.median(rate[kinds == "E"]) < 2  # Mizuseki & Buzsaki 2013: about 1 Hz at rest
        assert 5 < np.median(rate[kinds == "I"]) < 40
        assert 0.9 < np.nanmedian(interval_cv(activity)) < 1.4
    # matched in rate: both animals draw from one stream; spikes of events differ by Poisson noise
    assert rates["bursts"]["E"] == pytest.approx(rates["ripples"]["E"], rel=0.05)
    assert rates["bursts"]["I"] == pytest.approx(rates["ripples"]["I"], rel=0.05)


def test_places_are_replayed_in_order_forward_and_backward(ripples) -> None:
    subject, activity = ripples
    events = subject.events(4, 60.0, activity.attrs["events"])
    pyramidal = subject.anatomy["cell_type"].values == "E"
    trial, time, neuron = (activity[f"spike_{name}"].values for name in ("trial", "time", "neuron"))
    slopes = []
    for k in range(len(events.time)):
        inside = (trial == events.trial[k]) & (np.abs(time - events.time[k]) < 0.03) & pyramidal[neuron]
        if inside.sum() > 8:
            slopes.append(np.corrcoef(time[inside], subject.place[neuron[inside]])[0, 1] * events.direction[k])
    assert len(slopes) > 20
    assert np.mean(slopes) > 0.15


def test_a_neuron_that_is_held_silent_is_missing_from_the_events_too() -> None:
    still = Session(2, 10.0).perturbed(Effect("hold", np.where(np.arange(192) == 45, 0.0, np.nan), 0.0, 10.0))
    _, free = ran(Ripples(), Session(2, 10.0))
    _, held = ran(Ripples(), still)
    assert (free["spike_neuron"].values == 45).sum() > 20  # an interneuron
    assert (held["spike_neuron"].values == 45).sum() == 0
    assert held.sizes["spike"] > 0.9 * free.sizes["spike"]


def test_events_that_would_need_more_time_than_there_is_are_refused() -> None:
    with pytest.raises(SimlabError, match="rate x pause"):
        Volleys(rate=5.0, pause=0.3)
