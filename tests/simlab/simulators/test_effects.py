"""Effects against the equations: each is what the same change of the network or of its input would be."""

from dataclasses import replace

import numpy as np
import pytest
from lif_bench import RESET, REST, TAU, THRESHOLD, altered, lif, noisy, run, same

from simlab.contracts import SimlabError
from simlab.data import anatomy
from simlab.instruments.placement import make_key
from simlab.instruments.stimulating.optogenetics import Optogenetics
from simlab.session import Effect, Perturbation, Session
from simlab.simulators.effects import changes, check_holds, drive_at, gain_at, hold_at, permanently_silent
from simlab.simulators.rates import RateNetwork, simulate
from simlab.simulators.spiking import Drive, SynapseSet
from simlab.simulators.spiking_plan import Plan
from simlab.simulators.transfers import logistic
from simlab.streams import stream

N, WHOLE = 20, (0.0, 1.0)
RNG = np.random.default_rng


def with_effects(*effects, trials=3, duration=0.4):
    return Session(trials, duration, perturbations=effects)


def run_rates(network, session, **options):
    return simulate(network, session, stream(1, "rates"), dt=1e-3, sample_interval=1e-3, **options)


def weighted(network, factor):
    """The spiking network whose synapses are multiplied by factor (pre, post)."""
    changed = [replace(s, weight=s.weight * factor[s.pre, s.post]) for s in network.synapses]
    return replace(network, synapses=tuple(changed))


def test_drives_add_holds_replace_and_gains_multiply():
    every, pair = np.arange(2), (np.array([0, 1]), np.array([1, 0]))
    effects = [
        Effect("drive", [[1.0, 0.0], [3.0, 0.0]], 0, 1),
        Effect("drive", [0.5, 0.5], 0, 1, trials=(1,)),
        Effect("hold", [5.0, np.nan], 0, 1),
        Effect("hold", [0.0, np.nan], 0, 1, trials=(0,)),
        Effect("gain", [0.5, 1.0], 0, 1),
        Effect("gain", [[1.0, 4.0], [3.0, 1.0]], 0, 1, over="pair"),
    ]
    assert drive_at(effects, 0.2, every, 2).tolist() == [[1, 0], [1.5, 0.5]]
    assert drive_at(effects, 0.7, every, 2).tolist() == [[3, 0], [3.5, 0.5]]
    np.testing.assert_array_equal(hold_at(effects, 0.2, every, 2), [[0, np.nan], [5, np.nan]])
    assert gain_at(effects, 0.2, every, *pair).tolist() == [[2, 3], [2, 3]]
    assert changes(effects, 0.8).tolist() == [0.0, 0.5]


def test_a_drive_over_steps_is_the_same_input_current_to_the_bit():
    steps = RNG(0).uniform(-1, 2, (8, N))
    drive = Drive("tuned", np.broadcast_to(steps, (3, 8, N)), 0.05)
    equations = noisy().populations[0].equations.replace("perturbation", "(perturbation + tuned)")
    driven = run(altered(noisy(), equations=equations), Session(3, 0.4), drives=[drive])
    assert same(run(noisy(), with_effects(Effect("drive", steps, 0.0, 0.4))), driven)
    assert not same(run(noisy(), Session(3, 0.4)), driven)
    halves = [Effect("drive", steps / 2, 0.0, 0.4)] * 2
    assert same(run(noisy(), with_effects(*halves)), driven)


def test_a_constant_drive_gives_the_analytic_rate_of_that_current():
    spikes = run(lif(2), with_effects(Effect("drive", [1.5, 2.5], 0.0, 2.0), trials=1, duration=2.0))
    drive = 20e-3 * np.array([1.5, 2.5])
    period = 2e-3 + TAU * np.log((drive + REST - RESET) / (drive + REST - THRESHOLD))
    counts = np.bincount(spikes.neuron, minlength=2)
    assert np.abs(counts - 2 / period).max() <= 1 + (2 / period * 2e-4 / period).max()


def test_a_held_neuron_keeps_its_rates_and_its_spikes_reach_others():
    synapse = SynapseSet(np.array([0]), np.array([1]), np.array([30e-3]), 1e-3)
    hold = Effect("hold", [[20.0, np.nan, 0.0], [60.0, np.nan, 0.0]], 0.1, 2.1)
    network = lif(3, bias=np.array([0, 0, 40e-3]), synapses=(synapse,))
    spikes = run(network, with_effects(hold, trials=2, duration=2.2))
    for trial in range(2):
        time = spikes.time[(spikes.trial == trial) & (spikes.neuron == 0)]
        assert abs(np.sum(time < 1.1) - 20) <= 1
        assert abs(np.sum(time >= 1.1) - 60) <= 1
        followers = spikes.time[(spikes.trial == trial) & (spikes.neuron == 1)]
        assert np.allclose(followers, time + 1e-3, atol=1.01e-4)
    silent = (spikes.neuron == 2) & (spikes.time >= 0.1) & (spikes.time < 2.1 - 1e-9)
    assert not silent.any()
    assert np.sum(spikes.neuron == 2) > 4


def test_neurons_that_are_all_held_at_zero_are_silent():
    hold = Effect("hold", [np.nan, 0.0, 0.0], 0.1, 0.3)
    spikes = run(lif(3, bias=np.full(3, 40e-3)), with_effects(hold, trials=2, duration=0.4))
    during = (spikes.time >= 0.1) & (spikes.time < 0.3 - 1e-9)
    assert set(spikes.neuron[during]) == {0}
    assert set(spikes.neuron[~during]) == {0, 1, 2}


@pytest.mark.parametrize("value", [0.0, 0.5, 2.0])
def test_a_gain_per_neuron_is_those_weights_multiplied_to_the_bit(value):
    gain = np.where(np.arange(N) < 7, value, 1.0)
    changed = run(weighted(noisy(), np.tile(gain[:, None], N)), Session(3, 0.4))
    free = run(noisy(), Session(3, 0.4))
    assert same(run(noisy(), with_effects(Effect("gain", gain, *WHOLE))), changed)
    assert not same(free, changed)
    assert same(run(noisy(), with_effects(Effect("gain", np.ones(N), *WHOLE))), free)


def test_a_gain_per_pair_is_those_weights_multiplied_on_its_trials_alone():
    factor = np.where(RNG(3).random((N, N)) < 0.4, 0.0, 2.0)
    effect = Effect("gain", factor, *WHOLE, trials=(1,), over="pair")
    found = run(noisy(), with_effects(effect))
    cut, free = run(weighted(noisy(), factor), Session(3, 0.4)), run(noisy(), Session(3, 0.4))
    for trial, expected in enumerate((free, cut, free)):
        mine, other = found.trial == trial, expected.trial == trial
        assert np.array_equal(found.time[mine], expected.time[other])
        assert np.array_equal(found.neuron[mine], expected.neuron[other])
    assert not same(cut, free)


def test_a_gain_acts_when_the_spike_arrives_and_ends_with_its_window():
    synapse = SynapseSet(np.array([0]), np.array([1]), np.array([30e-3]), 2e-3)
    kicks = [Effect("drive", [30.0, 0.0], at, at + 1.5e-3) for at in (0.010, 0.030)]

    def followers(start, stop):
        spikes = run(
            lif(2, synapses=(synapse,)), with_effects(*kicks, Effect("gain", [0.0, 1.0], start, stop), trials=1)
        )
        return np.sum(spikes.neuron == 1)

    assert followers(0.010, 0.0125) == 2  # fires at 10.7 ms while it is cut, arrives at 12.7 ms when it is not
    assert followers(0.012, 0.014) == 1
    assert followers(0.012, 0.4) == 0


def test_without_a_gain_the_generated_code_knows_of_none():
    def signature(*effects):
        return Plan(noisy(), with_effects(*effects), (), 0, 10, 1e-4).signature()

    assert signature() == signature(Effect("drive", np.ones(N), 0, 0.1))
    assert signature() != signature(Effect("gain", np.ones(N), 0, 0.1))


def test_a_gain_changes_nothing_where_there_is_no_synapse():
    network = lif(3, bias=25e-3, sigma=5e-3)
    gain = Effect("gain", np.zeros((3, 3)), 0.0, 0.4, over="pair")
    assert same(run(network, with_effects(gain)), run(network, Session(3, 0.4)))


def test_a_silenced_neuron_rebounds_after_the_light():
    place = anatomy(np.zeros((1, 3)), ["E"])

    def spikes(rebound):
        light = Optogenetics(expression=1.0, expression_spread=0.0, rebound=rebound)
        actuator = light.install(place, make_key(np.ones((1, 1))), RNG(0))
        return run(lif(1), with_effects(*actuator.aim(Perturbation("silence", (0,), 1.0, 0.1, 0.3))))

    assert len(spikes(0.0).time) == 0
    late = spikes(0.5).time  # 5 rheobases at light-off, one after ln 5 = 1.6 of its time constants
    assert len(late) > 3
    assert late.min() > 0.3
    assert late.max() < 0.3 + 1.7 * 50e-3


@pytest.mark.parametrize(
    ("effect", "message"),
    [
        (Effect("hold", np.full(N, 501.0), 0, 0.1), "cannot be held above 500 Hz"),
        (
            Effect("drive", np.ones((10, N)), 0, 5e-4),
            "cannot change faster than this circuit's simulation, every 0.0001 s",
        ),
        (Effect("gain", np.ones((3, 3)), 0, 0.1, over="pair"), r"one value per pair \(20, 20\)"),
    ],
)
def test_what_an_engine_cannot_honour_is_an_error(effect, message):
    with pytest.raises(SimlabError, match=message):
        run(noisy(), with_effects(effect))


def test_each_neurons_own_refractory_period_limits_its_hold():
    check_holds([Effect("hold", [100.0, np.nan], 0, 1)], np.array([0.01, 1.0]))
    with pytest.raises(SimlabError, match="above 50 Hz"):
        check_holds([Effect("hold", [100.0, np.nan], 0, 1)], np.array([0.02, 0.0]))


def rate_network(weights):
    return RateNetwork(weights, 0.01, logistic, bias=0.2, input_noise=0.5, state_noise=0.1)


WEIGHTS = RNG(5).normal(0, 1, (6, 6))


@pytest.mark.parametrize("over", ["neuron", "pair"])
@pytest.mark.parametrize("value", [0.0, 0.3, 2.0])
def test_a_gain_is_modified_weights_in_the_rate_engine_on_its_trials(over, value):
    shape = (6,) if over == "neuron" else (6, 6)
    gain = np.where(RNG(6).random(shape) < 0.5, value, 1.0)
    factor = np.tile(gain[:, None], 6) if over == "neuron" else gain
    _, found = run_rates(rate_network(WEIGHTS), with_effects(Effect("gain", gain, *WHOLE, trials=(0, 2), over=over)))
    _, changed = run_rates(rate_network(WEIGHTS * factor), Session(3, 0.4))
    _, free = run_rates(rate_network(WEIGHTS), Session(3, 0.4))
    # Rates are stored in single precision: 6e-8 of themselves.
    np.testing.assert_allclose(found[[0, 2]], changed[[0, 2]], rtol=1.3e-7)
    np.testing.assert_array_equal(found[1], free[1])
    assert np.abs(changed - free).max() > 0.01


def test_rate_gains_multiply_and_follow_their_steps():
    unit = Effect("gain", np.full(6, 0.5), *WHOLE)
    pair = Effect("gain", [np.full((6, 6), 4.0), np.full((6, 6), 2.0)], 0.0, 0.8, over="pair")
    _, found = run_rates(rate_network(WEIGHTS), with_effects(unit, pair, duration=0.8))
    _, doubled = run_rates(rate_network(2 * WEIGHTS), Session(3, 0.8))
    np.testing.assert_allclose(found[:, :400], doubled[:, :400], rtol=1.3e-7)
    _, apart = run_rates(rate_network(WEIGHTS), with_effects(unit, pair, duration=0.8), memory_limit=1)
    np.testing.assert_allclose(found, apart, rtol=1.3e-7)


def test_a_drive_over_steps_is_the_same_task_input_in_the_rate_engine():
    steps = RNG(7).normal(0, 1, (4, 6))
    inputs = np.broadcast_to(steps, (3, 4, 6))
    # A task's input is also there in the burn-in, of which there is none.
    _, shown = run_rates(rate_network(WEIGHTS), Session(3, 0.4), inputs=inputs, input_interval=0.1)
    _, driven = run_rates(rate_network(WEIGHTS), with_effects(Effect("drive", steps, 0.0, 0.4)))
    np.testing.assert_array_equal(shown, driven)


def test_a_held_unit_drives_others_by_its_rate_and_zero_holds_it_silent():
    weights = np.array([[0.0, 2.0, 0.0], [0, 0, 0], [0, 1.0, 0]])
    network = RateNetwork(weights, 0.005, lambda drive: drive, bias=1.0)
    hold = Effect("hold", [[3.0, np.nan, 0.0], [5.0, np.nan, np.nan]], 0.0, 0.4)
    time, rate = run_rates(network, with_effects(hold))
    assert np.allclose(rate[:, (time > 0.1) & (time < 0.2)], [3.0, 7.0, 0.0])
    assert np.allclose(rate[:, time > 0.3], [5.0, 12.0, 1.0])


def test_the_rate_engine_refuses_what_is_finer_than_its_step():
    with pytest.raises(SimlabError, match=r"every 0.001 s, got steps of 0.0005"):
        run_rates(rate_network(WEIGHTS), with_effects(Effect("drive", np.ones((2, 6)), 0.1, 0.101)))


def test_only_who_is_held_silent_through_all_of_every_trial_is_lost_for_good():
    def hold(rates, start=0.0, stop=1.0, trials=None):
        return Effect("hold", np.array(rates, dtype=float), start, stop, trials)

    nan = np.nan
    cases = {
        (): [0, 0],
        (hold([0, nan]),): [1, 0],
        (hold([0, nan], trials=(0, 1)),): [1, 0],
        (hold([0, nan], trials=(1,)),): [0, 0],
        (hold([0, nan], start=0.1),): [0, 0],
        (hold([0, nan], stop=0.9),): [0, 0],
        (hold([[0, nan], [5, nan]]),): [0, 0],
        (hold([0, nan]), hold([nan, 0])): [1, 1],
        (hold([0, 0]), hold([nan, 20], 0.4, 0.5, (0,))): [1, 0],
        (Effect("drive", np.full(2, -1e3), 0.0, 1.0),): [0, 0],
    }
    for effects, lost in cases.items():
        found = permanently_silent(with_effects(*effects, trials=2, duration=1.0), 2)
        assert found.tolist() == [bool(b) for b in lost], effects
