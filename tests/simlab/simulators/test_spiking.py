"""The batched Brian2 engine: right physics, independent trials, perturbations, and one compilation for all."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from lif_bench import REFRACTORY, RESET, REST, TAU, THRESHOLD, altered, lif, noisy, run, same

from simlab.contracts import SimlabError
from simlab.progress import listening
from simlab.running.executors import pool_of
from simlab.session import Effect, Session
from simlab.simulators.spiking import Drive, SynapseSet, simulate
from simlab.simulators.spiking_inputs import one_thread
from simlab.simulators.spiking_plan import Plan


def only(neuron, n_neurons, strength):
    return np.where(np.arange(n_neurons) == neuron, strength, 0.0)


def test_a_constant_current_gives_the_analytic_rate():
    bias = np.array([0.019, 0.022, 0.03, 0.05])
    spikes = run(lif(4, bias), Session(2, 2.0))
    counts = np.bincount(spikes.neuron, minlength=4) / 2
    assert counts[0] == 0  # 1 mV short of threshold
    drive = bias[1:]
    period = REFRACTORY + TAU * np.log((drive + REST - RESET) / (drive + REST - THRESHOLD))
    # Whole steps: up to 0.2 ms of each period, and one spike more or less at the trial's ends.
    assert np.abs(counts[1:] - 2 / period).max() <= 1 + (2 / period * 2e-4 / period).max()


def test_spikes_are_counted_from_the_end_of_the_burn_in_and_lie_in_the_trial():
    session = Session(3, 0.3)
    late, whole = run(noisy(), session, burn_in=0.2), run(noisy(), Session(3, 0.5))
    kept = whole.time >= 0.2 - 1e-9
    assert np.array_equal(late.neuron, whole.neuron[kept])
    assert np.allclose(late.time, whole.time[kept] - 0.2)
    assert late.time.min() >= 0
    assert late.time.max() < 0.3
    order = np.lexsort((late.time, late.trial))
    assert np.array_equal(order, np.arange(len(order)))


def test_one_seed_gives_one_answer_and_leaves_numpys_global_state_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    session = Session(4, 0.3)
    first, again, other = (run(noisy(), session, seed=seed) for seed in (1, 1, 2))
    assert same(first, again)
    assert not same(first, other)
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002
    assert first.engine.startswith("kernel (numba")


def test_trials_are_replicates_with_their_own_noise():
    spikes = run(noisy(), Session(40, 0.5))
    counts = np.zeros((40, 20))
    np.add.at(counts, (spikes.trial, spikes.neuron), 1)
    across = np.corrcoef(counts - counts.mean(axis=0))
    pairs = across[np.triu_indices(40, 1)]
    # Independent rows of 20 counts correlate by -1/39 +- 1/sqrt(20); 780 pairs of 40 rows: mean known to ~0.01.
    assert abs(pairs.mean() + 1 / 39) < 0.03
    assert pairs.max() < 0.95  # no trial is another's copy


def test_a_synapse_acts_after_its_delay_on_its_target_in_its_own_trial():
    synapses = SynapseSet(np.array([0]), np.array([2]), np.array([30e-3]), 2e-3)
    kick = Effect("drive", only(0, 3, 30.0), 0.01, 0.0115, trials=(1,))
    spikes = run(lif(3, synapses=(synapses,)), Session(3, 0.03, perturbations=(kick,)))
    assert spikes.trial.tolist() == [1, 1]
    assert spikes.neuron.tolist() == [0, 2]
    arrival = np.diff(spikes.time)[0]
    assert arrival == pytest.approx(2e-3, abs=1.01e-4)


def test_delays_and_signs_differ_between_synapse_sets():
    excite = SynapseSet(np.array([0]), np.array([1]), np.array([30e-3]), 1e-3)
    inhibit = SynapseSet(np.array([2]), np.array([1]), np.array([-30e-3]), 0.5e-3)
    kick = Effect("drive", np.array([30.0, 0, 0]), 0.01, 0.0115)
    both = Effect("drive", np.array([30.0, 0, 30.0]), 0.01, 0.0115)
    network = lif(3, synapses=(excite, inhibit))
    assert 1 in run(network, Session(1, 0.03, perturbations=(kick,))).neuron
    assert 1 not in run(network, Session(1, 0.03, perturbations=(both,))).neuron


def test_a_factor_scales_synapses_by_the_variables_of_both_neurons():
    def network(release):
        synapses = SynapseSet(np.array([0]), np.array([1]), np.array([30e-3]), 1e-3, factor="release_pre")
        base = lif(2, synapses=(synapses,))
        (neurons,) = base.populations
        equations = neurons.equations + "\nrelease : 1 (constant)"
        return altered(base, equations=equations, parameters={**neurons.parameters, "release": release})

    session = Session(1, 0.03, perturbations=(Effect("drive", only(0, 2, 30.0), 0.01, 0.0115),))
    assert 1 in run(network(1.0), session).neuron
    assert 1 not in run(network(0.5), session).neuron


@pytest.mark.parametrize(("strength", "fires"), [(0.99, False), (1.02, True)])
def test_one_rheobase_is_the_edge_of_firing(strength, fires):
    pulse = Effect("drive", only(1, 2, strength), 0.0, 0.5)
    spikes = run(lif(2), Session(2, 0.5, perturbations=(pulse,)))
    assert (len(spikes.neuron) > 0) == fires
    assert set(spikes.neuron) <= {1}


def test_silence_stops_its_targets_in_its_window_on_its_trials():
    pulse = Effect("drive", -10.0 * only(0, 2, 1.0), 0.1, 0.2, trials=(0,))
    spikes = run(lif(2, bias=40e-3), Session(2, 0.4, perturbations=(pulse,)))
    inside = (spikes.time >= 0.101) & (spikes.time < 0.2)
    assert not np.any(inside & (spikes.neuron == 0) & (spikes.trial == 0))
    assert np.any(inside & (spikes.neuron == 1) & (spikes.trial == 0))
    assert np.any(inside & (spikes.neuron == 0) & (spikes.trial == 1))
    assert np.any((spikes.time > 0.35) & (spikes.neuron == 0) & (spikes.trial == 0))


@pytest.mark.parametrize("bias", [0.0, 40e-3])
def test_a_held_neuron_fires_at_the_rate_that_it_is_held_at(bias):
    pulse = Effect("hold", np.array([50.0, np.nan, 7.0]), 0.1, 1.1, trials=(0, 2))
    spikes = run(lif(3, bias=bias), Session(3, 1.2, perturbations=(pulse,)))
    inside = (spikes.time >= 0.1 - 1e-9) & (spikes.time < 1.1 - 1e-9)
    for trial in (0, 2):
        for neuron, rate in ((0, 50), (2, 7)):
            assert abs(np.sum(inside & (spikes.trial == trial) & (spikes.neuron == neuron)) - rate) <= 1
    free = np.sum(inside & (spikes.trial == 1) & (spikes.neuron == 0))
    alone = np.sum(inside & (spikes.trial == 0) & (spikes.neuron == 1))
    assert abs(free - alone) <= 1
    assert (free > 0) == (bias > 0)


def test_a_drive_reaches_the_trials_neurons_and_times_that_it_names():
    signal = np.zeros((2, 3, 1))
    signal[1, 1] = 1.0  # second trial, 100 to 200 ms
    drive = Drive("tuned", signal, 0.1, loading=np.array([[0.0, 40e-3]]), unit="volt")
    spikes = run(lif(2, extra="+ tuned"), Session(2, 0.3), drives=[drive], burn_in=0.05)
    assert len(spikes.time) > 3
    assert set(spikes.trial) == {1}
    assert set(spikes.neuron) == {1}
    assert spikes.time.min() >= 0.1
    assert spikes.time.max() <= 0.2 + 1e-9


def test_a_drive_may_reach_into_the_burn_in():
    signal = np.array([1.0, 0.0, 0.0])[None, :, None]
    for start, fires in ((-0.1, False), (0.0, True)):
        drive = Drive("tuned", signal, 0.1, loading=np.array([[40e-3]]), unit="volt", start=start)
        spikes = run(lif(1, extra="+ tuned"), Session(1, 0.1), drives=[drive], burn_in=0.1)
        assert (len(spikes.time) > 0) == fires


def test_chunks_under_the_memory_bound_hold_every_trial_once_and_all_report_progress():
    heard = []
    pulse = Effect("drive", only(0, 20, 5.0), 0.0, 0.2, trials=(4,))
    with listening(lambda done, what: heard.append(done)):
        spikes = run(noisy(), Session(5, 0.2, perturbations=(pulse,)), memory=30_000)
    assert set(spikes.trial) == set(range(5))
    counts = np.bincount(spikes.trial[spikes.neuron == 0], minlength=5)
    assert counts.argmax() == 4
    assert heard == sorted(heard)
    assert heard[-1] == 1.0
    assert len(heard) > 5


def test_it_runs_outside_the_main_thread():
    found = []
    thread = threading.Thread(target=lambda: found.append(run(noisy(), Session(2, 0.1))))
    thread.start()
    thread.join()
    assert same(found[0], run(noisy(), Session(2, 0.1)))


def test_brian2_is_first_imported_in_any_thread_and_leaves_ctrl_c_alone():
    code = (
        "import signal, threading; from simlab.simulators.brian.module import brian\n"
        "before = signal.getsignal(signal.SIGINT); t = threading.Thread(target=brian); t.start(); t.join()\n"
        "assert signal.getsignal(signal.SIGINT) is before; print(brian().__version__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.strip()


@pytest.mark.parametrize(
    ("network", "session", "options", "message"),
    [
        (lambda: altered(lif(2), parameters={"colour": 1.0}), Session(1, 0.1), {}, "no variable 'colour'"),
        (lambda: lif(2, bias=np.zeros(3)), Session(1, 0.1), {}, r"one per neuron \(2,\), got shape \(3,\)"),
        (lambda: lif(2, bias=np.nan), Session(1, 0.1), {}, "bias must be finite"),
        (lambda: lif(2), Session(1, 0.1), {"engine": "fortran"}, "engine must be one of"),
        (lambda: lif(2), Session(1, 0.1), {"dt": 0.0}, "dt > 0"),
        (lambda: lif(2), Session(1, 0.1), {"burn_in": -1.0}, "burn_in >= 0"),
        (
            lambda: altered(lif(1), equations="dv/dt = -v/(10*ms) : volt", parameters={}),
            Session(1, 0.1, perturbations=(Effect("drive", np.ones(1), 0, 0.1),)),
            {},
            "cannot be stimulated",
        ),
        (
            lambda: lif(3),
            Session(1, 0.1, perturbations=(Effect("drive", np.ones(2), 0, 0.1),)),
            {},
            "one value per neuron",
        ),
    ],
)
def test_what_cannot_be_run_is_refused_with_rule_and_value(network, session, options, message):
    with pytest.raises(SimlabError, match=message):
        simulate(network(), session, np.random.default_rng(0), **{"burn_in": 0.0, **options})


def test_synapses_that_leave_the_network_are_refused():
    synapses = SynapseSet(np.array([0]), np.array([5]), np.array([1e-3]), 1e-3)
    with pytest.raises(SimlabError, match=r"neurons 0..2, got indices 0..5"):
        lif(3, synapses=(synapses,))
    with pytest.raises(SimlabError, match="delays must be >= 0"):
        SynapseSet(np.array([0]), np.array([1]), np.array([1e-3]), -1e-3)
    with pytest.raises(SimlabError, match="one finite number per synapse"):
        SynapseSet(np.array([0]), np.array([1]), np.array([np.nan]), 1e-3)


def test_subjects_of_one_circuit_share_their_signature_whatever_their_wiring():
    def signature(network, trials):
        return Plan(network, Session(trials, 0.1), (), 0, 1000, 1e-4).signature()

    assert signature(noisy(20, 0), 3) == signature(noisy(30, 1), 7)
    assert signature(noisy(), 3) != signature(lif(20, extra="+ 1*mV"), 3)


def test_one_thread_finds_what_two_find(monkeypatch):
    session = Session(40, 0.2)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    monkeypatch.delenv("SIMLAB_ENGINE_THREADS", raising=False)
    names, two = threads_of(lambda: run(noisy(), session))
    assert any(name.startswith("simlab-trials") for name in names)
    monkeypatch.setenv("SIMLAB_ENGINE_THREADS", "1")
    names, one = threads_of(lambda: run(noisy(), session))
    assert not any(name.startswith("simlab-trials") for name in names)
    assert same(one, two)
    assert np.array_equal(one.later, two.later)


def threads_of(work):
    """The names of all threads that were started while something ran, and what it returned."""
    names = []
    start = threading.Thread.start
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threading.Thread, "start", lambda self: (names.append(self.name), start(self))[1])
        return names, work()


def test_processes_are_the_parallelism_of_workers():
    with pool_of(None, 1, 1) as pool:
        assert pool.executor.submit(one_thread).result()
