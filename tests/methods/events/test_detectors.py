"""Detectors of ripples: what they find, what fools them, and where they say nothing."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from circuits.events.population_bursts import PopulationBursts
from circuits.events.ripples import Ripples
from methods.events.high_synchrony_events import HighSynchronyEvents
from methods.events.karlsson_ripples import KarlssonRipples
from methods.events.kay_ripples import KayRipples
from methods.events.ripple_oscillation import RippleOscillation
from methods.events.roumis_ripples import RoumisRipples
from simlab.contracts import Finding
from simlab.data import recording
from simlab.instruments.recording.field_potential import FieldPotential
from simlab.instruments.recording.subsample import Subsample
from simlab.questions.events import Events
from simlab.session import Session

FIELD = (KayRipples(), KarlssonRipples(), RoumisRipples(), RippleOscillation())
POWER = FIELD[:3]
RNG = np.random.default_rng


def potentials(seconds: float = 20.0, ripples: tuple[float, ...] = (), rate: float = 1500.0, noise: float = 1.0):
    """Two channels of white noise with a low-passed background, and 60 ms bouts at 175 Hz around these times [s]."""
    time = np.arange(round(seconds * rate)) / rate
    rng = RNG(7)
    signal = noise * rng.standard_normal((1, len(time), 2))
    for middle in ripples:
        bout = np.exp(-0.5 * ((time - middle) / 0.015) ** 2) * np.cos(2 * np.pi * 175 * (time - middle))
        signal[0] += 6 * noise * bout[:, None]
    return recording(
        duration=seconds, n_units=2, n_trials=1, signal=signal, modality="field potential", sample_time=time
    )


@pytest.fixture(scope="module")
def worlds():
    """Activity, truth, potentials and spikes of ripples and of bursts."""
    found = {}
    for circuit in (Ripples(), PopulationBursts().imitating(Ripples())):
        subject = circuit.subject(RNG(3))
        activity = subject.run(Session(2, 40.0), RNG(4))
        truth = subject.truth("events", activity, RNG(0))
        field = FieldPotential(sampling_rate=1500.0).implant(subject.anatomy, RNG(5)).record(activity, RNG(6))
        spikes = Subsample(n_units=80).implant(subject.anatomy, RNG(5)).record(activity, RNG(6))
        found[circuit.name] = truth, field, spikes
    return found


def scored(finding: Finding, truth: xr.Dataset) -> dict[str, float]:
    assert not finding.abstained, finding.abstained
    return Events().score(finding, truth)


@pytest.mark.parametrize("method", FIELD, ids=lambda method: method.name)
def test_bouts_of_a_rhythm_are_found_where_they_are(method) -> None:
    found = method.analyse(potentials(ripples=(3.0, 8.0, 15.0)), RNG(0)).estimate
    for middle in (3.0, 8.0, 15.0):
        assert np.abs(found["event_time"] - middle).min() < 0.04  # half a bout: a channel's own noise widens an event
    assert found["rate"] == pytest.approx(3 * len(found["event_time"]))


@pytest.mark.parametrize("method", POWER, ids=lambda method: method.name)
def test_power_finds_most_ripples_and_takes_bursts_for_them(method, worlds) -> None:
    truth, field, _ = worlds["ripples"]
    assert scored(method.analyse(field, RNG(0)), truth)["recall"] > 0.5
    nothing, bursts, _ = worlds["population_bursts"]
    assert scored(method.analyse(bursts, RNG(0)), nothing)["false_per_minute"] > 5


def test_a_spectral_peak_is_found_in_ripples_and_seldom_in_bursts(worlds) -> None:
    truth, field, _ = worlds["ripples"]
    nothing, bursts, _ = worlds["population_bursts"]
    right, wrong = (scored(RippleOscillation().analyse(x, RNG(0)), t) for x, t in ((field, truth), (bursts, nothing)))
    assert right["precision"] > 0.8
    assert wrong["false_per_minute"] < 0.2 * right["rate"]


def test_synchrony_finds_volleys_of_either_kind(worlds) -> None:
    truth, _, spikes = worlds["ripples"]
    assert scored(HighSynchronyEvents().analyse(spikes, RNG(0)), truth)["recall"] > 0.6
    nothing, _, bursts = worlds["population_bursts"]
    assert scored(HighSynchronyEvents().analyse(bursts, RNG(0)), nothing)["false_per_minute"] > 5


def test_a_higher_threshold_states_fewer() -> None:
    noise = potentials()
    rates = [KayRipples(threshold=t).analyse(noise, RNG(0)).estimate["rate"] for t in (2.0, 3.0, 5.0)]
    assert rates[0] > rates[1] >= rates[2]
    assert rates[0] > 10  # of noise alone: a relative threshold always finds something


def test_another_sampling_rate_gets_a_filter_of_its_own() -> None:
    found = KayRipples().analyse(potentials(ripples=(5.0,), rate=1000.0), RNG(0)).estimate
    assert np.abs(found["event_time"] - 5.0).min() < 0.02


def test_they_say_why_they_say_nothing() -> None:
    slow, flat = potentials(rate=200.0), potentials(noise=0.0)
    for method in FIELD:
        assert "samples per" in method.analyse(slow, RNG(0)).abstained
        assert "never changes" in method.analyse(flat, RNG(0)).abstained
    assert "samples per s" in RippleOscillation().analyse(potentials(rate=800.0), RNG(0)).abstained
    silent = recording(duration=5.0, n_units=6, n_trials=1, spikes=(np.empty(0, int), np.empty(0), np.empty(0, int)))
    assert "fires" in HighSynchronyEvents().analyse(silent, RNG(0)).abstained
