"""Populations of which the time constants are known: counts have the autocovariance that the equations give."""

import numpy as np
import pytest

import simlab
from circuits.states.single_timescale import SingleTimescale
from circuits.states.two_timescales import TwoTimescales
from simlab.contracts import SimlabError
from simlab.data import bin_spikes
from simlab.session import Session

BIN = 0.05


def covariances(circuit, lags):
    """Covariance of counts, over the product of the means, at lags of bins, averaged over units; and the mean rates."""
    subject = circuit.subject(np.random.default_rng(1))
    seen = bin_spikes(subject.run(Session(60, 4.0), np.random.default_rng(2)), BIN).values.astype(float)
    mean = seen.mean(axis=(0, 1))
    away = seen - mean
    return [
        float(np.mean((away[:, lag:] * away[:, : 80 - lag]).mean(axis=(0, 1)) / mean**2)) for lag in lags
    ], mean / BIN


@pytest.mark.parametrize("circuit", [SingleTimescale(), TwoTimescales()])
def test_it_keeps_the_contract(circuit):
    assert simlab.check(circuit).ok


def test_one_time_constant():
    circuit = SingleTimescale(rate_spread=0.2)
    found, rates = covariances(circuit, (1, 4, 8))
    # 50 neurons x 240 s of 200 ms: 6 x 10^4 memories, a per cent or two of .3 each.
    assert found == pytest.approx([0.3 * np.exp(-lag * BIN / 0.2) for lag in (1, 4, 8)], abs=0.015)
    assert rates.mean() == pytest.approx(10, rel=0.1)


def test_two_time_constants_and_the_slow_one_is_the_truth():
    circuit = TwoTimescales(rate_spread=0.2, fast_timescale=0.05)
    found, _ = covariances(circuit, (1, 4, 8))
    bins = (0.05 / BIN, 0.3 / BIN)  # the covariance of bins is that of moments times (sinh(T/2t) / (T/2t))^2
    width = [(np.sinh(0.5 / b) / (0.5 / b)) ** 2 for b in bins]
    expected = [0.15 * sum(w * np.exp(-lag / b) for w, b in zip(width, bins, strict=True)) for lag in (1, 4, 8)]
    assert found == pytest.approx(expected, abs=0.02)
    told = circuit.subject(np.random.default_rng(1)).truth("timescale", None, np.random.default_rng(1))
    assert float(told["timescale"]) == 0.3


def test_times_in_the_wrong_order_are_refused():
    with pytest.raises(SimlabError, match="fast_timescale must be below slow_timescale"):
        TwoTimescales(fast_timescale=0.5)
