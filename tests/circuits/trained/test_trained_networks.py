"""One task, three ways: how good each network is at it, what its equations say, and what lesions and pushes do."""

from dataclasses import replace

import numpy as np
import pytest

from circuits.memory.remembered import value_session
from circuits.trained.cells import Cells
from circuits.trained.task_subject import regime_of
from circuits.trained.tasks import Value, read
from circuits.trained.trained_chain import TrainedChain
from circuits.trained.trained_decision import TrainedDecision
from circuits.trained.trained_follower import TrainedFollower
from circuits.trained.training import STEP, followed
from circuits.trained.working_memory import WorkingMemory
from simlab.contracts import SimlabError
from simlab.session import Effect, Session
from simlab.simulators import kept_networks
from simlab.simulators.rates import fixed_point, settle
from simlab.streams import stream

CELLS = Cells(n_neurons=32)
MEMORY = WorkingMemory(cells=CELLS, task=Value(duration=1.0), steps=150, batch=32)
DECISION = TrainedDecision(cells=CELLS, steps=80, batch=32)
TASKS = {"memory": MEMORY, "decision": DECISION}
TAU = CELLS.time_constant
TRIALS = 400
"""Of all sessions, so that the lab compiles one loop for them."""


EACH = ("memory", pytest.param("decision", marks=pytest.mark.slow))
SOLUTIONS = {"line": lambda like: like, "chain": TrainedChain, "follower": TrainedFollower}


class Trained(dict):
    """By task and solution: trained where it is asked for, once."""

    def __missing__(self, key):
        task, name = key
        self[key] = SOLUTIONS[name](TASKS[task]).subject(stream(1, "subject"))
        return self[key]


@pytest.fixture(scope="module")
def subjects(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.setattr(kept_networks, "_found", {})
        yield Trained()


@pytest.mark.parametrize("task", EACH)
def test_all_solutions_of_a_task_are_equally_good(task, subjects):
    """In the lab's own simulation."""
    right = []
    for name in SOLUTIONS:
        subject = subjects[task, name]
        session = subject.session(trials=TRIALS, duration=subject.task.duration, rng=stream(2, task))
        right.append(subject.run(session, stream(3, name))["outcome"].values.mean())
    assert np.ptp(right) <= 0.05  # with a standard error of .02 each
    assert min(right) > TASKS[task].task.best() - 0.1


@pytest.mark.slow
def test_psychometric_slopes_are_alike(subjects):
    session = DECISION.task.session(TRIALS, 1.0, stream(4))
    slopes = []
    for name in ("line", "chain"):
        output = subjects["decision", name].run(session, stream(5, name))["behaviour"].values[:, :, 0]
        choice = np.sign(read(output))
        sums = session.stimulus.values[:, :, 0]
        slopes.append(np.polyfit(np.nansum(sums, axis=1), choice, 1)[0])
    assert slopes[1] == pytest.approx(slopes[0], rel=0.15)


def modes(subject, states):
    return np.array([np.linalg.eigvals(subject.network.jacobian(state)).real for state in states])


@pytest.mark.parametrize("task", EACH)
def test_a_line_has_one_neutral_mode_and_a_chain_none_in_any_state(task, subjects):
    line, chain = subjects[task, "line"], subjects[task, "chain"]
    found = np.sort(modes(line, line.left_in()), axis=1)[:, ::-1]
    assert (np.abs(found[:, 0]) < 1).mean() > 0.5  # outlasts 1 s, ten time constants
    assert (found[:, 1] < -1).all()
    # triangular in the order of its stages: the eigenvalues are the diagonal's, -1 / tau, however rounding spreads them
    order = np.argsort((chain.found.weights != 0).sum(axis=0), kind="stable")
    for state in chain.left_in():
        jacobian = chain.network.jacobian(state)[np.ix_(order, order)]
        assert np.allclose(np.triu(jacobian, 1), 0.0)
        assert np.allclose(np.diag(jacobian), -1 / TAU)


@pytest.mark.parametrize("task", EACH)
def test_the_line_keeps_in_the_dark_what_the_chain_forgets(task, subjects):
    """By simulation: the spread of reports of nine states, after three seconds of nothing, twice what a chain takes."""
    kept = {}
    for name in ("line", "chain"):
        subject = subjects[task, name]
        states = subject.left_in()
        later = settle(subject.network, states, duration=3.0, dt=STEP)
        kept[name] = np.ptp(subject.report(later)) / np.ptp(subject.report(states))
    assert kept["line"] > 0.2  # exp(-3): of a mode that decays within the second that still makes a line, .05
    assert kept["chain"] < 0.02


@pytest.mark.parametrize("task", EACH)
def test_truths_are_what_the_equations_say(task, subjects):
    told = {}
    for name in ("line", "chain", "follower"):
        truth = subjects[task, name].truth("dynamics", None, np.random.default_rng(0))
        told[name] = truth["label"].item()
        weights = subjects[task, name].truth("connectivity", None, np.random.default_rng(0))["weight"].values
        assert weights.any() == (name != "follower")
    # a chain that was trained for less than the second that makes an integrator of it; see the slow test
    assert told == {"line": "line attractor", "chain": "fixed point", "follower": "driven"}
    with pytest.raises(LookupError, match="can answer dynamics, connectivity"):
        subjects[task, "line"].truth("tuning", None, np.random.default_rng(0))


def test_the_chain_rests_in_one_state_that_newton_finds(subjects):
    chain = subjects["memory", "chain"]
    point = fixed_point(chain.network, np.full(32, CELLS.base))
    assert point.stable
    assert np.abs(settle(chain.network, chain.left_in(), duration=10.0, dt=STEP) - point.state).max() < 0.1


@pytest.mark.slow
def test_beyond_the_delay_that_it_was_trained_for_the_chain_fails(subjects):
    session = value_session(TRIALS, 3.0, stream(6))
    outcome = {name: subjects["memory", name].run(session, stream(7))["outcome"].mean() for name in ("line", "chain")}
    # reports of nothing are within .2 of a fifth of the values
    assert outcome["chain"] < 0.4 < outcome["line"]


def silenced(session, neurons, start=0.0):
    hold = np.where(np.isin(np.arange(32), neurons), CELLS.base, np.nan)  # at rest: they say nothing
    return session.perturbed(Effect("hold", hold, start, session.duration))


@pytest.mark.slow
def test_a_chain_has_no_need_of_stages_that_are_done_and_a_line_of_all_all_the_time(subjects):
    """The first two stages of sixteen, or the line's eight weightiest, held at rest from the start or 0.65 s on."""
    session, lost = value_session(TRIALS, 1.0, stream(8)), {}
    first = np.argsort((subjects["memory", "chain"].found.weights != 0).sum(axis=0), kind="stable")[:4]
    weighty = np.argsort(-np.abs(subjects["memory", "line"].found.readout))[:8]
    for name, cells in (("line", weighty), ("chain", first), ("follower", weighty)):
        subject = subjects["memory", name]
        free = subject.run(session, stream(9))["outcome"].mean()
        for since in (0.0, 0.65):
            lost[name, since] = float(free - subject.run(silenced(session, cells, since), stream(9))["outcome"].mean())
    assert lost["follower", 0.0] == lost["follower", 0.65] == 0.0
    assert lost["chain", 0.0] > 0.3
    assert lost["chain", 0.65] < 0.1 < lost["line", 0.65]
    assert lost["line", 0.0] > 0.1


def test_a_push_stays_in_the_line_leaves_the_chain_and_never_is_in_the_follower(subjects):
    left = {}
    for name in ("line", "chain", "follower"):
        subject = subjects["memory", name]
        session = Session(TRIALS, 3.0)
        pushed = session.perturbed(Effect("drive", np.where(subject.found.readout > 0, 1.0, 0.0), 0.5, 0.8))
        free, hit = (subject.run(s, stream(10))["behaviour"].values[:, :, 0].mean(axis=0) for s in (session, pushed))
        left[name] = np.abs(hit - free)[-20:].mean() / max(np.abs(hit - free).max(), 1e-12), np.abs(hit - free).max()
    assert left["line"][0] > 0.3
    assert left["chain"][0] < 0.05
    assert left["follower"][1] == 0.0


def test_the_follower_draws_the_network_s_own_rates_and_only_its_own_units_feel_a_push(subjects):
    line, follower = subjects["memory", "line"], subjects["memory", "follower"]
    assert np.array_equal(line.found.weights, follower.found.weights)  # the same stream drew the same network
    session = line.session(trials=TRIALS, duration=1.0, rng=stream(11))
    one, other = (s.run(session, stream(12)) for s in (line, follower))
    assert np.array_equal(one["rate"], other["rate"])
    assert np.array_equal(one["outcome"], other["outcome"])
    pulse = Effect("drive", np.where(np.arange(32) < 4, 1.0, 0.0), 0.4, 0.6)
    hit = follower.run(session.perturbed(pulse), stream(12))
    changed = (hit["rate"].values != other["rate"].values).any(axis=(0, 1))
    assert changed.tolist() == (np.arange(32) < 4).tolist()
    assert (hit["rate"].values - other["rate"].values)[:, 25, :4] == pytest.approx(20.0)  # Hz per rheobase


def test_spikes_are_drawn_at_the_rates(subjects):
    line = subjects["memory", "line"]
    spiking = replace(line, cells=replace(CELLS, model="spiking"))
    session = line.session(trials=TRIALS, duration=1.0, rng=stream(13))
    counts = np.bincount(spiking.run(session, stream(14))["spike_neuron"].values, minlength=32)
    rates = line.run(session, stream(14))["rate"].values.mean(axis=(0, 1))
    # of 400 s at 20 Hz and a CV of .7: 8,000 +- 63 spikes
    assert counts / TRIALS == pytest.approx(rates, abs=0.8)


def test_regimes_that_are_no_line_are_told_apart(subjects):
    line = subjects["memory", "line"]
    size = np.abs(np.linalg.eigvals(line.found.weights).real).max()
    for factor, expected in ((3.0, "bistable"), (0.3, "fixed point")):
        scaled = replace(line, found=line.found._replace(weights=line.found.weights * factor / size))
        assert scaled.regime() == expected
    assert regime_of(line.network, line.left_in(), TAU) == "line attractor"


def test_a_network_that_is_no_line_is_refused(monkeypatch):
    monkeypatch.setattr("circuits.trained.task_subject.TaskSubject.regime", lambda subject: "bistable")
    with pytest.raises(SimlabError, match="ended in a bistable where a line attractor was expected"):
        replace(MEMORY, steps=1, shortfall=1.0).subject(stream(1, "subject"))


def test_noise_free_states_are_those_of_the_recurrence(subjects):
    subject = subjects["memory", "line"]
    inputs = MEMORY.task.probes()
    path = followed(subject.found, np.full(32, STEP / TAU), inputs)
    assert subject.left_in() == pytest.approx(CELLS.base * (1 + path[:, -1]))
    reports = subject.report(subject.left_in())
    assert (np.diff(reports) > 0).all()  # nine values, in order


@pytest.mark.slow
@pytest.mark.parametrize("like", [WorkingMemory(), TrainedDecision()], ids=["memory", "decision"])
def test_at_full_size_solutions_are_equally_good_and_have_the_regimes_that_they_are_named_for(like):
    right, told = [], []
    for circuit in (like, TrainedChain(like)):
        subject = circuit.subject(stream(20, "subject"))
        session = subject.session(trials=1000, duration=like.task.duration, rng=stream(21))
        right.append(float(subject.run(session, stream(22))["outcome"].mean()))
        told.append(subject.regime())
    assert np.ptp(right) <= 0.05
    kept = {"working_memory": "non-normal integrator", "trained_decision": "fixed point"}  # that one need not hold
    assert told == ["line attractor", kept[like.name]]
