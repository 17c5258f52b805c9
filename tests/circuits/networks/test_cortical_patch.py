"""The cortical patch: its own noise, wired as its truth says, and dials that move what they say and no synapse."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

import simlab
from circuits.networks.cortical_patch import CorticalPatch
from simlab.activity_statistics import pairwise_correlations
from simlab.contracts import SimlabError
from simlab.data import bin_spikes, mean_rates
from simlab.regimes import departures, measured
from simlab.session import Effect, Session
from simlab.simulators.spiking import Record, simulate
from simlab.streams import stream

HALF = CorticalPatch(n_neurons=200)
"""Half of the default: as much to see, and a quarter of the work."""


@cache
def subject(**dials):
    return replace(HALF, **dials).subject(stream(1, "subject"))


@cache
def activity(**dials):
    """40 s."""
    return subject(**dials).run(Session(8, 5.0), stream(1, "run"))


def mean_correlation(width=0.1, **dials):
    return pairwise_correlations(activity(**dials), width).mean()


def test_a_spike_of_each_neuron_makes_the_potentials_of_the_truth_in_peak_sign_and_delay():
    """Silent neurons; in each trial another one fires once, by a strong pulse of one step."""
    circuit = CorticalPatch(n_neurons=24, external_mean=0.0, external_mean_spread=0.0, external_sd=1e-9, e_to_e=0.4)
    patch, n, dt = circuit.subject(stream(3, "subject")), 24, circuit.dt
    pulses = tuple(
        Effect("drive", np.where(np.arange(n) == i, 300.0, 0.0), 5e-3, 5e-3 + dt, trials=(i,)) for i in range(n)
    )
    # Each trial begins with potentials between reset and threshold: they decay to 1e-6 of that before the pulse.
    drives = patch.confounds.drives(Session(n, 0.04), 0.3, np.random.default_rng(0))
    spikes = simulate(
        patch.network, Session(n, 0.04, perturbations=pulses), np.random.default_rng(0),
        drives=drives, burn_in=0.3, dt=dt, record=Record(("v",), dt),
    )  # fmt: skip
    assert np.array_equal(spikes.neuron, np.arange(n))
    truth = patch.truth("connectivity", None, np.random.default_rng(0))["weight"].values
    moved = spikes.samples["v"].astype(float) + 70e-3  # (trial, step, neuron)
    moved[np.arange(n), :, np.arange(n)] = 0.0
    peak = np.where(moved.max(axis=1) > -moved.min(axis=1), moved.max(axis=1), moved.min(axis=1))
    strong = np.abs(truth) > 2e-5
    np.testing.assert_allclose(peak[strong], truth[strong], rtol=0.04)  # steps of 0.1 ms with decays of 2 ms
    assert np.abs(peak[truth == 0]).max() < 2e-6
    pre, post = np.nonzero(strong)
    began = (np.abs(moved) > 0.02 * np.abs(peak)[:, None]).argmax(axis=1)[pre, post] * dt
    late = began - spikes.time[pre] - patch.delays[pre, post]
    assert np.all((late > -dt) & (late < 8 * dt))


def test_it_looks_like_cortex_():
    found = measured(activity(), CorticalPatch.regime)
    assert not departures(activity(), CorticalPatch.regime)
    assert 2 < found["rate"] < 12
    assert 0.8 < found["interval_cv"] < 1.1
    assert abs(found["correlation"]) < 0.02  # balanced networks: near 0 (Renart et al. 2010)
    rates = mean_rates(activity())
    assert 0.25 < np.log10(rates[rates > 0]).std() < 0.8  # lognormal over about a decade (Buzsaki & Mizuseki 2014)


def test_most_of_the_input_variance_is_what_the_synapses_of_the_patch_make():
    """The recorded currents, passed through the membrane, against the variance that weights and rates predict."""
    from scipy.signal import lfilter

    patch = CorticalPatch().subject(stream(1, "subject"))
    circuit, session = patch.circuit, Session(2, 2.0)
    drives = patch.confounds.drives(session, 0.3, np.random.default_rng(0))
    record = Record(("excitation", "inhibition"), 5e-4)
    spikes = simulate(patch.network, session, stream(1, "run"), drives=drives, burn_in=0.3, record=record)
    tau = circuit.membrane_time_constant
    current = (spikes.samples["excitation"] - spikes.samples["inhibition"]).astype(float)
    decay = np.exp(-5e-4 / tau)
    free = lfilter([1 - decay], [1, -decay], current - current.mean(axis=1, keepdims=True), axis=1)[:, 200:]
    variance = free.var(axis=1).mean(axis=0)
    share = 1 - circuit.external_sd**2 / variance.mean()
    rates = mean_rates(spikes.activity(session, circuit.n_neurons))
    # Of Poisson trains that know nothing of one another; these are more regular, and inhibition follows excitation.
    poisson = ((tau / 2 * rates * tau / (tau + patch.decays)) @ patch.jumps**2).mean()
    assert 0.5 < share < poisson / (poisson + circuit.external_sd**2)
    assert share > 0.75 * poisson / (poisson + circuit.external_sd**2)


def test_mean_field_theory_of_filtered_noise_predicts_each_neurons_rate():
    rates, theory = mean_rates(activity()), subject().working_point.rate
    # It takes trains for Poisson ones: 6 to 8% high. 40 s at 7 Hz: one rate is known to 6%.
    assert 0.85 < rates.mean() / theory.mean() < 1.02
    assert np.corrcoef(rates, theory)[0, 1] > 0.9


def test_wiring_thins_out_with_distance_at_the_density_of_cortex_and_obeys_dales_law():
    patch = CorticalPatch().subject(stream(1, "subject"))
    place = np.stack([patch.anatomy[axis].values for axis in "xyz"], axis=1)
    edge = (400 / 9e13) ** (1 / 3)
    assert place.max() < edge
    assert place.max() > 0.97 * edge
    distance = np.sqrt(np.square(place[:, None] - place).sum(axis=2))
    excitatory = patch.circuit.cell_types() == "E"
    connected = patch.weights[np.ix_(excitatory, excitatory)] != 0
    apart = distance[np.ix_(excitatory, excitatory)]
    for low, high in ((20e-6, 50e-6), (90e-6, 120e-6)):
        there = (apart > low) & (apart < high)
        expected = 0.2 * np.exp(-(apart[there] ** 2) / (2 * 100e-6**2)).mean()
        assert connected[there].mean() == pytest.approx(expected, abs=4 * np.sqrt(expected / there.sum()))
    assert np.all(patch.weights[excitatory] >= 0)
    assert np.all(patch.weights[~excitatory] <= 0)
    epsp = np.log(patch.weights[excitatory][patch.weights[excitatory] > 0])
    assert epsp.std() == pytest.approx(0.94, abs=0.02)  # 10,000 of them: +- 0.007
    flown = patch.delays - distance / 0.3
    assert 0.5e-3 <= flown.min() < flown.max() <= 1e-3


def test_dials_leave_wiring_and_delays_of_a_subject_as_they_are():
    plain, other = subject(), subject(shared_drive=0.1, gain_modulation=0.3, drift=0.3)
    assert np.array_equal(plain.weights, other.weights)
    assert np.array_equal(plain.delays, other.delays)
    assert plain.anatomy.identical(other.anatomy)
    assert not plain.confounds.offset.any()
    assert other.confounds.offset.any()


def test_shared_drive_adds_the_mean_correlation_that_it_says_and_leaves_rates():
    base, asked = mean_correlation(), (0.02, 0.1, 0.2)
    added = [mean_correlation(shared_drive=c) - base for c in asked]
    assert added[0] < added[1] < added[2]
    # 400 bins; the shared signal, with 100 ms, has some 200 independent values: its variance is known to 10%. Theory is
    # of first order: of four other seeds the worst added 0.81 and the best 1.07 of what was asked.
    np.testing.assert_allclose(added, asked, rtol=0.2, atol=0.008)
    for c in asked:
        assert mean_rates(activity(shared_drive=c)).mean() == pytest.approx(mean_rates(activity()).mean(), rel=0.1)
    with pytest.raises(SimlabError, match=r"can make here is 0\.\d+ at most, got 0\.9"):
        _ = subject(shared_drive=0.9).confounds


def test_shared_drive_that_reaches_less_far_correlates_near_pairs_more():
    patch = subject(shared_drive=0.1, shared_reach=60e-6)
    place = np.stack([patch.anatomy[axis].values for axis in "xyz"], axis=1)
    upper = np.triu_indices(200, 1)
    apart = np.sqrt(np.square(place[:, None] - place).sum(axis=2))[upper]
    counts = bin_spikes(activity(shared_drive=0.1, shared_reach=60e-6), 0.1).values.reshape(-1, 200)
    pairs = np.corrcoef(counts[:, :].T + 1e-9 * np.arange(200)[:, None])[upper]
    near, far = np.nanmean(pairs[apart < 40e-6]), np.nanmean(pairs[apart > 110e-6])
    assert near > 2 * far


def test_gain_scales_all_rates_together_and_slowly():
    whole = bin_spikes(activity(gain_modulation=0.4, gain_time_constant=1.0), 0.5).values.mean(axis=2)
    still = bin_spikes(activity(), 0.5).values.mean(axis=2)
    spread = whole.std() / whole.mean()
    # 80 bins, 40 s of a signal of 1 s: its variance is known to 30%; the mean of 0.5 s leaves 0.85 of it.
    assert 0.2 < spread < 0.65
    assert spread > 3 * still.std() / still.mean()
    assert mean_correlation(1.0, gain_modulation=0.4, gain_time_constant=1.0) > 0.1


def test_drift_moves_each_neuron_alone():
    drifted = bin_spikes(activity(drift=0.6, drift_time_constant=10.0), 5.0).values[:, 0]
    still = bin_spikes(activity(), 5.0).values[:, 0]
    busy = still.mean(axis=0) > 10
    fano = [(c.var(axis=0, ddof=1) / c.mean(axis=0))[busy].mean() for c in (drifted, still)]
    assert fano[0] > 2 * fano[1]
    assert abs(mean_correlation(1.0, drift=0.6, drift_time_constant=10.0)) < 0.03


def test_a_prior_draws_from_the_published_ranges_and_some_of_them_without_confounds():
    drawn = [HALF.prior(stream(k, "prior")) for k in range(40)]
    assert all(0.1 <= d.e_to_e <= 0.25 and 10e-3 <= d.membrane_time_constant <= 25e-3 for d in drawn)
    assert 5 < sum(d.shared_drive == d.gain_modulation == d.drift == 0 for d in drawn) < 22  # 40 / 3 +- 3
    assert len({d.epsp for d in drawn}) == 40


def test_it_keeps_the_contract_and_a_runaway_network_does_not():
    assert simlab.check(replace(HALF, n_neurons=60), raises=False).ok
    report = simlab.check(replace(HALF, n_neurons=30, ipsp=0.0, external_mean=40e-3), raises=False)
    assert any("rate" in entry.message and "outside 0.1 to 20 Hz" in entry.message for entry in report.failures)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"latency": (2e-3, 1e-3)}, r"latency must be \(shortest, longest\)"),
        ({"dt": 1e-3}, "dt must be at most a twentieth of membrane_time_constant"),
        ({"threshold": -80e-3}, "must lie below threshold"),
        ({"density": 9e4}, "density must be a number in"),
    ],
)
def test_impossible_parameters_are_refused_with_rule_and_value(change, message):
    with pytest.raises(SimlabError, match=message):
        replace(CorticalPatch(), **change)
