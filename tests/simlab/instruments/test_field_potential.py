"""A spike's contribution, what neighbours hear of it, and the rhythm of a machine."""

from __future__ import annotations

import numpy as np
import pytest

import simlab
from simlab.contracts import SimlabError
from simlab.data import activity, anatomy
from simlab.instruments.recording.field_potential import FieldPotential
from simlab.session import Session

QUIET = FieldPotential(noise=0.0)


def two_regions(apart: float):
    """Two regions of two neurons each; a single spike of the first neuron at .1 s."""
    place = np.zeros((4, 3))
    place[2:, 0] = apart
    body = anatomy(place, ["E"] * 4, ["a", "a", "b", "b"])
    spikes = np.zeros(1, int), np.full(1, 0.1), np.zeros(1, int)
    return body, activity(Session(1, 0.4), 4, spikes=spikes)


def test_a_spike_makes_a_wave_of_the_kernels_area_and_time_course():
    body, did = two_regions(apart=0.01)
    seen = QUIET.implant(body, np.random.default_rng(0)).record(did, np.random.default_rng(0))
    wave = seen["signal"].values[0, :, 0]
    wave = wave - wave[:90].mean()
    # half a spike per neuron of the region: its integral is scale / 2
    assert wave.sum() / QUIET.sampling_rate == pytest.approx(QUIET.scale / 2, rel=1e-3)
    peak = seen["sample_time"].values[wave.argmax()] - 0.1
    expected = np.log(QUIET.decay / QUIET.rise) * QUIET.rise * QUIET.decay / (QUIET.decay - QUIET.rise)
    assert peak == pytest.approx(expected, abs=2 / QUIET.sampling_rate)
    assert seen["signal"].attrs["modality"] == "field potential"


def test_neighbours_hear_a_region_as_far_as_it_reaches():
    body, did = two_regions(apart=QUIET.reach)
    implant = QUIET.implant(body, np.random.default_rng(0))
    wave = implant.record(did, np.random.default_rng(0))["signal"].values[0]
    wave = wave - wave[:90].mean(axis=0)
    assert wave[:, 1].max() / wave[:, 0].max() == pytest.approx(np.exp(-1), rel=1e-6)
    assert np.allclose(implant.key.values.sum(axis=1), 1.0)


def test_the_clock_of_a_machine_is_a_line_in_the_spectrum_of_its_potentials():
    from circuits.causal.microprocessor import Microprocessor

    subject = Microprocessor().subject(np.random.default_rng(0))
    did = subject.run(subject.session(trials=3, duration=1.0, rng=np.random.default_rng(1)), np.random.default_rng(2))
    seen = FieldPotential().implant(subject.anatomy, np.random.default_rng(0)).record(did, np.random.default_rng(3))
    power = (np.abs(np.fft.rfft(seen["signal"].values, axis=1)) ** 2).mean(axis=(0, 2))
    assert power[50] > 10 * np.median(power[41:60])  # Hz: a turn of twenty ticks of a millisecond


def test_it_keeps_its_contract_and_refuses_a_rise_slower_than_the_decay():
    assert simlab.check("field_potential").ok
    with pytest.raises(SimlabError, match="rise must be < decay"):
        FieldPotential(rise=0.02)
