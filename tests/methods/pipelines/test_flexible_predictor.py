"""A network in front of an explanation: what it predicts, of whom it is silent, and what it makes of noise."""

from __future__ import annotations

import numpy as np
import pytest

from circuits.coding.unseeing_cells import UnseeingCells
from circuits.coding.v1_simple import V1Simple
from circuits.coding.visual import Look
from methods.coding._frames import laid_out
from methods.coding.spike_triggered_average import SpikeTriggeredAverage
from methods.pipelines._steps import Unusable
from methods.pipelines.flexible_predictor import FlexiblePredictor
from methods.pipelines.pipeline import Pipeline
from simlab.contracts import Needs, SimlabError
from simlab.data import check_recording, modality
from simlab.instruments.recording.perfect import Perfect
from simlab.questions.receptive_field import ReceptiveField
from simlab.streams import stream

SMALL = V1Simple(n_neurons=4, rate_spread=0.0, mean_rate=8.0, look=Look(side=5))
QUICK = {"hidden": 16, "steps": 400, "n_folds": 2}
STA = SpikeTriggeredAverage()


def recorded(circuit):
    subject = circuit.subject(stream(3, "subject"))
    session = subject.session(trials=2, duration=60.0, rng=stream(3, "session"))
    activity = subject.run(session, stream(3, "run"))
    implant = Perfect().implant(subject.anatomy, stream(3, "implant"))
    truth = ReceptiveField().project(subject.truth("receptive_field", activity, stream(3, "t")), implant.key)
    return implant.record(activity, stream(3, "record")), truth, subject


@pytest.fixture(scope="module")
def seeing():
    return recorded(SMALL)


@pytest.fixture(scope="module")
def unseeing():
    return recorded(UnseeingCells(like=SMALL))


def score(method, world):
    return ReceptiveField().score(method.analyse(world[0], stream(1, "method")), world[1])


def test_it_predicts_frames_that_it_has_not_seen_without_noise(seeing):
    recording, _, subject = seeing
    before = recording.copy(deep=True)
    found = FlexiblePredictor(**QUICK).apply(recording, stream(1, "x"))
    assert recording.identical(before)
    check_recording(found)
    assert modality(found) == "rate"
    frames, counts = laid_out(found)
    true = subject.rates(frames, stream(1, "y")).reshape(-1, 4)
    said, spikes = counts.reshape(-1, 4) * 30, laid_out(recording)[1].reshape(-1, 4)
    for unit in range(4):
        assert np.corrcoef(said[:, unit], true[:, unit])[0, 1] > 0.65
        assert np.corrcoef(said[:, unit], true[:, unit])[0, 1] > np.corrcoef(spikes[:, unit], true[:, unit])[0, 1]
    # what it predicts below zero is cut off, which adds to the mean
    assert said.mean(axis=0) == pytest.approx(spikes.mean(axis=0) * 30, rel=0.3)


def test_of_what_cannot_be_predicted_nothing_is_explained_unless_noise_is_trusted(unseeing):
    honest = Pipeline((FlexiblePredictor(**QUICK),), STA)
    trusting = Pipeline((FlexiblePredictor(**(QUICK | {"n_folds": 1, "least_z": 0.0})),), STA)
    assert score(honest, unseeing)["false_positive_rate"] == 0
    assert score(trusting, unseeing)["false_positive_rate"] == 1


def test_it_can_be_shown_other_frames(seeing):
    step = FlexiblePredictor(new_frames=3000, **QUICK)
    found = step.apply(seeing[0].assign(condition=("trial", [0, 1])), stream(1, "x"))
    check_recording(found)
    frames, counts = laid_out(found)
    assert len(frames) == 2  # trials of 1800
    assert "condition" not in found
    assert np.isfinite(counts).all()
    again = np.cov(frames.reshape(-1, 25).T)
    assert np.abs(again - np.diag(np.diag(again))).max() < 0.1
    assert score(Pipeline((step,), STA), seeing)["overlap"] > 0.9


def test_it_needs_a_stimulus_and_says_so_and_gives_rates_alone(seeing):
    pipeline = Pipeline((FlexiblePredictor(),), STA)
    assert pipeline.needs.stimulus
    recording = seeing[0]
    assert "stimulus" in pipeline.analyse(recording.drop_vars("stimulus"), stream(1, "x")).abstained
    with pytest.raises(Unusable, match="stimulus"):
        FlexiblePredictor().apply(recording.drop_vars("stimulus"), stream(1, "x"))
    with pytest.raises(SimlabError, match="flexible_predictor makes rate"):
        FlexiblePredictor().before(Needs(("spikes",)))
