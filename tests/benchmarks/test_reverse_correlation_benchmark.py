"""How long averages and covariances of 50 cells take on 10^5 frames of 400 pixels.

Run with `pytest -m benchmark -s tests/benchmarks/test_reverse_correlation_benchmark.py`. Figures are printed, never
asserted: processor time on one thread. Shifts of a cell that sees nothing end early, those of a complex cell do not.
"""

from __future__ import annotations

from time import process_time

import numpy as np
import pytest

from circuits.coding.unseeing_cells import UnseeingCells
from circuits.coding.v1_complex import V1Complex
from circuits.coding.visual import Look
from methods.coding.spike_triggered_average import SpikeTriggeredAverage
from methods.coding.spike_triggered_covariance import SpikeTriggeredCovariance
from simlab.instruments.recording.perfect import Perfect
from simlab.streams import stream

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1800)]

FRAMES, TRIALS = 100_000, 10
COMPLEX = V1Complex(n_neurons=50, look=Look(side=20))


@pytest.mark.parametrize("circuit", [COMPLEX, UnseeingCells(like=COMPLEX)], ids=lambda circuit: circuit.name)
def test_averages_and_covariances(circuit, capsys):
    subject = circuit.subject(stream(1, "subject"))
    session = subject.session(trials=TRIALS, duration=FRAMES / TRIALS * COMPLEX.look.frame, rng=stream(1, "session"))
    activity = subject.run(session, stream(1, "run"))
    recording = Perfect().implant(subject.anatomy, stream(1, "implant")).record(activity, stream(1, "record"))
    assert recording["stimulus"].shape[:2] == (TRIALS, FRAMES // TRIALS)
    for method in (SpikeTriggeredAverage(), SpikeTriggeredCovariance()):
        start = process_time()
        found = method.analyse(recording, stream(1, method.name)).estimate["filter"]
        with capsys.disabled():
            print(f"\n{circuit.name}, {method.name}: {process_time() - start:.1f} s of processor time")
        assert np.isfinite(found).all()
