"""The rival of hidden causes in a chain: matched rates, peaks as synapses make them, and not a single synapse."""

from functools import cache

import numpy as np
import pytest
from spiking_bench import interval_cvs

import simlab
from circuits.networks.balanced_ei import BalancedEI
from circuits.networks.common_cause_chain import CommonCauseChain
from simlab.contracts import SimlabError
from simlab.data import mean_rates
from simlab.session import Effect, Session
from simlab.streams import stream

TWIN = BalancedEI(n_neurons=40)
CHAIN = CommonCauseChain(TWIN)
SECONDS, TRIALS, BIN, REACH = 240.0, 60, 5e-4, 60  # bins of the correlograms, to either side


@cache
def subject(circuit=CHAIN):
    return circuit.subject(stream(1, "subject"))


@cache
def spontaneous():
    return subject().run(Session(TRIALS, SECONDS / TRIALS), stream(1, "run"))


@cache
def excess():
    """Coincidences per second beyond chance, (place, distance, lag): of a place's neuron and the one so far on.

    By way of all places' trains: the spectrum of each pair of distance 1, 2, 3 or 20 of the chain.
    """
    activity, order = spontaneous(), subject().order
    trial, time, neuron = (activity[f"spike_{column}"].values for column in ("trial", "time", "neuron"))
    n_bins = round(SECONDS / BIN)
    place_of = np.argsort(order)
    step = np.minimum(((trial * SECONDS / TRIALS + time) / BIN).astype(int), n_bins - 1)
    train = np.zeros((len(order), n_bins), bool)
    train[place_of[neuron], step] = True
    rate = train.mean(axis=1)
    found = np.zeros((len(order), 21, 2 * REACH + 1))
    for place in range(len(order)):
        spikes = np.flatnonzero(train[place])
        spikes = spikes[(spikes > REACH) & (spikes < n_bins - REACH)]
        around = spikes[:, None] + np.arange(-REACH, REACH + 1)
        for distance in (1, 2, 3, 20):
            other = (place + distance) % len(order)
            found[place, distance] = train[other][around].sum(axis=0) / SECONDS - len(spikes) * rate[other] / SECONDS
    return found


def lags():
    return np.arange(-REACH, REACH + 1) * BIN


def test_it_keeps_the_contract():
    assert simlab.check(CommonCauseChain(like=BalancedEI(n_neurons=30)), raises=False).ok


def test_each_neuron_fires_at_its_twins_rate_as_irregularly():
    twin = TWIN.subject(stream(1, "subject"))
    rates = mean_rates(spontaneous())
    np.testing.assert_allclose(subject().matched.rate, twin.working_point.rate)
    # 240 s at 9 Hz: 2% each. Jumps of 3 mV are not the white noise of the theory: a few per cent.
    assert rates.mean() / twin.working_point.rate.mean() == pytest.approx(1, abs=0.06)
    assert np.corrcoef(rates, twin.working_point.rate)[0, 1] > 0.97
    cv = TWIN.neuron.interval_cv(twin.working_point.mean, twin.working_point.sd)
    assert interval_cvs(spontaneous()).mean() == pytest.approx(cv.mean(), abs=0.08)


def test_every_pair_of_neighbours_has_a_peak_to_one_side_at_its_own_lag():
    near, lag = excess()[:, 1], lags()
    told = np.array([lag[np.argmax(np.convolve(row, np.ones(5), "same"))] for row in near])
    # The peak of one pair is seen to a bin or two in four minutes.
    assert np.median(np.abs(told - subject().lags)) < 1e-3
    assert np.mean(told > 0) > 0.9  # a consistent order a -> b -> c
    ahead, behind = near[:, (lag > 0) & (lag < 8e-3)].sum(axis=1), near[:, (lag < 0) & (lag > -8e-3)].sum(axis=1)
    assert np.mean(ahead > behind) > 0.9
    assert ahead.mean() > 2 * behind.mean()


def test_peaks_lie_further_out_along_the_chain_and_end_where_no_cause_is_shared():
    mean, lag = excess().mean(axis=0), lags()
    peak = {distance: lag[np.argmax(np.convolve(mean[distance], np.ones(5), "same"))] for distance in (1, 2, 3)}
    assert peak[1] < peak[2] < peak[3]
    for distance, at in peak.items():  # lags of 1 to 3 ms, 2 on average
        assert at == pytest.approx(2e-3 * distance, abs=1e-3)
    inside = np.abs(lag) < 15e-3
    area = mean[:, inside].sum(axis=1)
    assert area[1] > area[2] > area[3] > 5 * abs(area[20])


def test_the_peaks_are_those_of_synapses_of_the_twin():
    """Linear response: neurons so far apart share fan - distance sources, that add rate (w tau gain)^2 each."""
    made, point = subject(), subject().matched
    gain = TWIN.neuron.gain(*point.input).mean()
    per_source = CHAIN.source_rate * (made.jump * TWIN.membrane_time_constant * gain) ** 2
    synapse = point.rate.mean() * TWIN.epsp * TWIN.charge * TWIN.membrane_time_constant * gain
    assert per_source == pytest.approx(synapse)
    area = excess()[:, :4, np.abs(lags()) < 25e-3].sum(axis=2).mean(axis=0)
    # A jump of 3 mV acts more than three times as strongly as one of 1 mV: 1.3 for each of the shared causes here.
    for distance in (1, 2, 3):
        assert 1 < area[distance] / ((CHAIN.fan - distance) * synapse) < 1.7


def test_a_spike_moves_nobody_else():
    """The same noise and sources with and without extra spikes in half of the neurons: the others do not notice."""
    made = CommonCauseChain(BalancedEI(n_neurons=20)).subject(np.random.default_rng(2))
    driven = np.arange(20) < 10
    pulse = Effect("drive", np.where(driven, 10.0, 0.0), 0.1, 0.2)
    plain, kicked = (
        made.run(Session(3, 0.4, perturbations=effects), np.random.default_rng(7)) for effects in ((), (pulse,))
    )
    trains = []
    for activity in (plain, kicked):
        other = ~driven[activity["spike_neuron"].values]
        trains.append([activity[name].values[other] for name in ("spike_neuron", "spike_time")])
    assert np.array_equal(trains[0], trains[1])
    assert kicked.sizes["spike"] > plain.sizes["spike"] + 20
    assert not made.truth("connectivity", None, np.random.default_rng(0))["weight"].values.any()


def test_without_strength_the_sources_do_nothing_and_a_small_twin_is_reached_as_a_whole():
    alone = subject(CommonCauseChain(TWIN, strength=0.0))
    assert alone.jump == 0
    np.testing.assert_allclose(alone.external, subject().matched.mean)
    assert CommonCauseChain().imitating(BalancedEI(n_neurons=3)).subject(stream(1)).network.n_neurons == 6


def test_what_cannot_be_is_refused():
    with pytest.raises(SimlabError, match="lower `strength` or `fan`"):
        CommonCauseChain(TWIN, strength=100.0).subject(np.random.default_rng(1))
    with pytest.raises(SimlabError, match="lag must be"):
        CommonCauseChain(lag=(3e-3, 1e-3))
    with pytest.raises(SimlabError, match="source_rate must be at most a tenth of the steps"):
        CommonCauseChain(BalancedEI(dt=1e-3, synaptic_time_constant=0.0), source_rate=200.0)
    with pytest.raises(LookupError, match="can answer connectivity, effect, got"):
        subject().truth("topology", None, np.random.default_rng(0))
