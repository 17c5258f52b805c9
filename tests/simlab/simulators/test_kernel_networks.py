"""Both engines find the same in networks of every kind of connection, and find what theory says."""

from functools import partial

import numpy as np
import pytest
from network_bench import (
    DELAY,
    EXCITED,
    FACILITATION,
    FAST,
    GAP,
    GATE_DECAY,
    GATE_RATE,
    GATE_RISE,
    GRADED,
    INJECTED,
    LEAK,
    MEMBRANE,
    N_E,
    N_I,
    RATES,
    RECOVERY,
    REVERSAL,
    SET_FACILITATION,
    SHARE,
    SLOPE,
    SLOW,
    USE,
    V_HALF,
    WEIGHT,
    assert_same,
    both,
    gated,
    graded,
    listened,
    nmda,
    perturbed,
    rhythm,
    times,
)
from scipy.integrate import solve_ivp

from simlab.simulators.kernel.synapses import Ears

DT = 1e-4


@pytest.mark.parametrize(
    "found",
    [
        *(pytest.param(f, marks=pytest.mark.slow) for f in (listened, partial(gated, True), partial(gated, False))),
        *(pytest.param(f, marks=pytest.mark.slow) for f in (rhythm, perturbed)),
        partial(rhythm, duration=0.06),
        pytest.param(partial(perturbed, stretch=0.2), marks=pytest.mark.slow),
    ],
    ids=["listened", "gated", "gated_by_others", "long_rhythm", "long_perturbed", "rhythm", "perturbed"],
)
def test_both_engines_find_the_same(found):
    one, other = found(how=both)
    assert_same((one, other))
    assert np.abs(np.diff(one.samples["v"][-1], axis=0)).max() > 1e-4  # V: something happens in what is compared


@pytest.mark.slow
def test_populations_are_numbered_in_turn_and_what_one_lacks_is_nan():
    spikes = perturbed()
    lacks = {name: np.isnan(values).all(axis=(0, 1)).tolist() for name, values in spikes.samples.items()}
    assert lacks["v"] == [False] * 9
    assert lacks["w"] == [False] * 4 + [True] * 5
    assert lacks["g_i"] == [False] * 7 + [True] * 2
    assert set(spikes.neuron) == set(range(7))  # the last population has no threshold
    assert not np.isnan(spikes.samples["I_syn"]).any()


def test_a_recorded_current_is_what_its_expression_says():
    samples = perturbed().samples
    g_e, g_i, v = (samples[name].astype(float) for name in ("g_e", "g_i", "v"))
    expected = g_e * (0 - v) + np.nan_to_num(g_i) * (-80e-3 - v)
    np.testing.assert_allclose(samples["I_syn"], expected, atol=1e-6 * np.abs(expected).max())


# --- synapses --------------------------------------------------------------------------------------------------------


def response(name, cell=3, start=15, stop=500):
    """A cell's variable after the first spike of its clock, which starts the run; and the time since it arrived [s]."""
    values = listened().samples[name][0, start + 1 : stop, cell].astype(float)
    return values, np.arange(len(values)) * DT


def test_a_spike_acts_after_its_delay():
    current = listened().samples["current"][0, :, 3]
    assert np.flatnonzero(current)[0] == round(DELAY / DT) + 1  # records are of a step's start
    assert current[round(DELAY / DT) + 1] == pytest.approx(WEIGHT)


def test_synapses_have_the_shapes_that_are_known_in_closed_form():
    current, t = response("current")
    alpha, _ = response("alpha")
    difference, _ = response("difference")
    np.testing.assert_allclose(current, WEIGHT * np.exp(-t / SLOW), atol=1e-6 * WEIGHT)
    np.testing.assert_allclose(alpha, WEIGHT * t / SLOW * np.exp(-t / SLOW), atol=1e-6 * WEIGHT)
    expected = 1.5 * WEIGHT * (np.exp(-t / SLOW) - np.exp(-t / FAST))
    np.testing.assert_allclose(difference, expected, atol=1e-6 * WEIGHT)
    peak = SLOW * FAST / (SLOW - FAST) * np.log(SLOW / FAST)
    assert t[alpha.argmax()] == pytest.approx(SLOW, abs=DT)
    assert alpha.max() == pytest.approx(WEIGHT / np.e, rel=1e-4)
    assert t[difference.argmax()] == pytest.approx(peak, abs=DT)


def test_a_membrane_answers_an_exponential_current_as_known_in_closed_form():
    v, t = response("v")
    expected = 1e8 * WEIGHT * SLOW / (MEMBRANE - SLOW) * (np.exp(-t / MEMBRANE) - np.exp(-t / SLOW))
    np.testing.assert_allclose(v, expected, atol=1e-6 * expected.max())


def test_a_driving_force_shrinks_each_step_to_what_is_left():
    for cell in (3, 4, 5):
        jumps = np.diff(listened().samples["potential"][0, :, cell].astype(float))
        jumps = jumps[jumps > 0]
        np.testing.assert_allclose(jumps, 30e-3 * 0.1 * 0.9 ** np.arange(len(jumps)), rtol=1e-3)


def released(spikes, use, recovery, facilitation):
    """(spike,) what a Tsodyks-Markram synapse releases at each: from one to the next u decays, x recovers."""
    u, x, found = 0.0, 1.0, []
    for interval in np.diff(spikes, append=spikes[-1]):
        u += use * (1 - u)
        found.append(u * x)
        u, x = u * np.exp(-interval / facilitation), 1 - (1 - x * (1 - u)) * np.exp(-interval / recovery)
    return np.array(found)


@pytest.mark.parametrize("clock", range(3))
@pytest.mark.parametrize("name", ["by_neuron", "by_synapse"])
def test_short_term_plasticity_follows_the_recursion_of_tsodyks_and_markram(clock, name):
    spikes = listened()
    train = times(spikes, clock)
    assert np.diff(train) == pytest.approx(1 / RATES[clock], abs=1.01 * DT)
    facilitation = FACILITATION[clock] if name == "by_neuron" else SET_FACILITATION
    expected = released(train, USE[clock], RECOVERY[clock], facilitation)
    jumps = np.diff(spikes.samples[name][0, :, 3 + clock].astype(float))
    found = jumps[jumps > 1e-9]
    np.testing.assert_allclose(found, expected[: len(found)], rtol=1e-4)  # records are float32
    assert len(found) >= len(expected) - 1
    depresses = found[-1] < found[0]
    assert depresses == (clock == 0)


# --- NMDA ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("with_self", [True, False])
def test_a_saturating_gate_follows_its_own_equation(with_self):
    spikes = gated(with_self)
    fired, s = times(spikes, 3), spikes.samples["s"][0, :, 3].astype(float)
    x, gate, now = 0.0, 0.0, 0.0
    for start, stop in zip(fired, [*fired[1:], 0.2 - 5e-5], strict=True):
        gate = gate * np.exp(-(start - now) / GATE_DECAY) if not x else gate
        x += 1
        done = solve_ivp(
            lambda _, y: [-y[0] / GATE_DECAY + GATE_RATE * y[1] * (1 - y[0]), -y[1] / GATE_RISE],
            (start, stop), [gate, x], rtol=1e-8, atol=1e-10, max_step=1e-3,
        )  # fmt: skip
        gate, x, now = done.y[0, -1], done.y[1, -1], stop
        # Euler's steps of 0.05 ms at a rise of 2 ms are off by up to dt/(2 rise) of a rise of 0.6.
        assert s[min(round(stop / 5e-5) + 1, len(s) - 1)] == pytest.approx(gate, abs=0.01)
    assert gate < 1


@pytest.mark.parametrize("with_self", [True, False])
def test_neurons_hear_the_gates_of_all_or_of_all_others(with_self):
    samples = gated(with_self).samples
    s = samples["s"][0, :, :N_E].astype(float)
    heard = 0.7 * (s.sum(axis=1)[:, None] - (0 if with_self else np.pad(s, ((0, 0), (0, N_I)))))
    # A sum is taken as a step begins, and recorded as the next one does.
    np.testing.assert_allclose(samples["gates"][0, 1:], np.broadcast_to(heard, (len(s), N_E + N_I))[:-1], atol=1e-5)
    assert heard.max() > 1


def test_neurons_that_hear_the_same_share_an_ear():
    for with_self, among_excitatory in ((True, 1), (False, N_E)):
        links = nmda(with_self).links
        ears = [Ears.of(link, n, shared=True) for link, n in zip(links, (N_E, N_I), strict=True)]
        assert [len(each.bounds) - 1 for each in ears] == [among_excitatory, 1]


def test_magnesium_blocks_nmda_currents_at_rest_and_none_at_high_voltage():
    samples = gated(True).samples
    v, gates = samples["v"][0].astype(float), samples["gates"][0].astype(float)
    open_ = samples["I_nmda"][0] / (3e-9 * gates * (0 - v) + 1e-30)
    busy = gates > 0.1
    np.testing.assert_allclose(open_[busy], 1 / (1 + np.exp(-62 * v[busy]) / 3.57), rtol=1e-3)
    assert (EXCITED > 0).any()
    assert np.median(open_[busy]) < 0.15  # 0.05 at -70 mV, 0.14 at -50 mV


# --- gap junctions and graded synapses -------------------------------------------------------------------------------


def test_two_passive_cells_have_the_coupling_coefficient_of_their_conductances():
    rise = rhythm().samples["v"][0, -1, :2].astype(float) + 60e-3
    assert rise[1] / rise[0] == pytest.approx(GAP / (GAP + LEAK[1]), rel=1e-5)
    resistance = 1 / (LEAK[0] + GAP * LEAK[1] / (GAP + LEAK[1]))
    assert rise[0] == pytest.approx(INJECTED * resistance, rel=1e-5)


def test_cells_that_inhibit_one_another_by_graded_synapses_alternate():
    v = rhythm().samples["v"][0, 2000:, 3:].astype(float)
    first, second = (np.flatnonzero((v[1:, c] > 0) & (v[:-1, c] <= 0)) for c in (0, 1))
    period = np.diff(first).mean()
    phase = (second[:, None] - first[first.size // 2]) / period % 1
    assert len(first) >= 3
    assert np.abs(phase - 0.5).max() < 0.1  # half-centre: in antiphase


def test_several_couplings_onto_one_variable_add_up():
    samples = rhythm().samples
    v, current = samples["v"][0].astype(float), samples["current"][0].astype(float)
    heard = {link.target for link in graded().links if link.of.target == "current"}
    assert heard == {0, 1}
    inhibition = GRADED / (1 + np.exp((V_HALF - v[:-1, 3]) / SLOPE)) * (REVERSAL - v[:-1, 2])
    np.testing.assert_allclose(current[1:, 2], inhibition, atol=1e-4 * np.abs(inhibition).max())
    np.testing.assert_allclose(current[1:, 0], GAP * (v[:-1, 1] - v[:-1, 0]), atol=1e-15)


# --- noise and perturbations -----------------------------------------------------------------------------------------


def test_neurons_share_noise_within_populations_and_between_them():
    eta = perturbed().samples["eta"][..., :7].reshape(-1, 7).astype(float)
    found = np.corrcoef(eta.T)
    expected = np.eye(7)
    for a, b, share in ((0, 1, SHARE**0.5), (0, 4, SHARE**0.5), (1, 4, SHARE)):
        expected[a, b] = expected[b, a] = share
    assert np.abs(found - expected).max() < 4.5 / len(eta) ** 0.5  # 21 correlations of 6000 numbers
    assert eta.std(axis=0) == pytest.approx(np.ones(7), abs=4.5 / (2 * len(eta)) ** 0.5)


def test_perturbations_reach_the_neurons_that_they_name_and_their_synapses():
    spikes = perturbed()
    for neuron, rate in ((2, 80.0), (6, 40.0)):
        held = times(spikes, neuron, trial=1)
        held = held[(held >= 0.08) & (held < 0.25)]
        assert np.diff(held) == pytest.approx(1 / rate, abs=1.01 * DT)
    driven, free = (times(spikes, 1, trial) for trial in (1, 0))
    assert np.sum((driven > 0.05) & (driven < 0.15)) > 1.5 * np.sum((free > 0.05) & (free < 0.15))
    inside = slice(int(0.12 / DT) + 2, int(0.2 / DT))
    v, gap = (spikes.samples[name][1, :, :2].astype(float) for name in ("v", "I_gap"))
    heard = 3e-9 * (v[:, 1] - v[:, 0])
    np.testing.assert_allclose(gap[inside, 0], 0.0, atol=1e-18)  # what 1 sends to 0 is cut
    np.testing.assert_allclose(gap[inside, 1], -0.3 * heard[inside.start - 1 : inside.stop - 1], atol=1e-14)
