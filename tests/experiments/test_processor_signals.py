"""The figures that the processor's claims are measured on, where their values are known."""

from __future__ import annotations

import numpy as np
import pytest

from circuits.causal.microprocessor import Microprocessor
from experiments import _processor_signals as signals


def test_a_rhythm_is_a_line_at_its_frequency_and_noise_has_none() -> None:
    rng, time = np.random.default_rng(0), np.arange(2000) / 1000
    noise = rng.standard_normal((signals.TRIALS, 2000, 2))
    rhythm = noise + np.array([0.0, 0.3]) * np.sin(2 * np.pi * 40 * time)[None, :, None]
    lines = signals._lines(rhythm)
    assert not lines[:, 0].any()
    found = signals.SLOWEST + np.flatnonzero(lines[:, 1]) / signals.DURATION
    assert abs(found - 40).max() <= 1  # and its neighbours, by the taper


def test_figures_of_the_processor_come_with_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "PROCESSORS", 1)
    monkeypatch.setattr(signals, "TRIALS", 6)
    circuit = Microprocessor(other_programs=1)
    rhythmic, words = signals.rhythmic_regions(circuit), signals.synchronous_words(circuit)
    assert (rhythmic.n, words.n) == (14, signals.SETS)
    assert 0 <= rhythmic.low < rhythmic.high <= 1
    assert words.low < words.value < words.high
