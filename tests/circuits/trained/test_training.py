"""Training: what diverges or fails is refused, masks hold, seeds decide, and what was found is kept."""

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from circuits.trained.solutions import (
    FORMS,
    Form,
    Recipe,
    chain,
    gating,
    parts,
    selection,
    sequence,
)
from circuits.trained.task_subject import network_of
from circuits.trained.tasks import Evidence, TwoSources, Value
from circuits.trained.training import STEP, Schedule, followed, train
from simlab.caches import cache_folder
from simlab.contracts import SimlabError
from simlab.session import Session
from simlab.simulators import kept_networks
from simlab.simulators.rates import simulate

N = 12
SHORT = Recipe(Evidence(duration=0.6), "recurrent", N, 0.1, 0.02, (0.0, 1.0), steps=3, batch=8)


@pytest.fixture(autouse=True)
def a_cache_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(kept_networks, "_found", {})


def trained(form="recurrent", rate=3e-3, steps=3, seed=0):
    rng = np.random.default_rng(seed)
    start, masks = FORMS[form](N, rng)
    task = Evidence(duration=0.6)
    return start, masks, *train(
        start, masks, np.full(N, 0.2), 0.02, lambda r: task.batch(8, r), Schedule(steps, 8, rate), rng
    )  # fmt: skip


def test_a_training_that_diverges_is_reported_with_its_step():
    with pytest.raises(SimlabError, match=r"diverged at step \d of 3: take a lower learning rate than 1e\+30"):
        trained(rate=1e30)


def test_a_training_that_comes_to_nothing_is_reported_with_what_it_came_to():
    with pytest.raises(SimlabError, match=r"with 0?\.?\d+ of trials right, outside the regime of 0\.99 to 1"):
        replace(SHORT, band=(0.99, 1.0)).solved(0)
    assert not list(cache_folder().rglob("*.npz"))  # and is not kept


def test_the_error_falls_and_where_a_mask_is_zero_nothing_changes():
    start, masks, found, errors = trained("chain", steps=25)
    assert errors[-5:].mean() < errors[:3].mean()
    for before, mask, after in zip(start, masks, found, strict=True):
        assert np.array_equal(after[mask == 0], before.astype(np.float32)[mask == 0])
        assert (after != before.astype(np.float32))[mask == 1].mean() > 0.9


def test_a_seed_decides_everything():
    one, same, other = (trained(seed=seed)[2] for seed in (0, 0, 1))
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    assert not np.array_equal(one.weights, other.weights)


def test_the_trained_equations_are_those_that_the_lab_simulates():
    found = trained()[2]
    task = Evidence()
    session = task.session(5, 1.0, np.random.default_rng(3))
    network, inputs = network_of(found, 20.0, 0.1), task.inputs(session)
    _, rates = simulate(
        network, Session(5, 1.0), np.random.default_rng(0), dt=STEP, sample_interval=STEP,
        inputs=2 * inputs @ found.entry, input_interval=STEP, initial=np.full((5, N), 20.0),
    )  # fmt: skip
    y = followed(found, np.full(N, 0.2), inputs)
    # a sample is the rate at a step's beginning or end, by how the engine counts: one of the two, to single precision
    shifts = [np.abs(rates[:, a:b] / 20 - 1 - y[:, : b - a]).max() for a, b in ((0, 50), (1, 50))]
    assert min(shifts) < 1e-5


@pytest.mark.parametrize("form", ["selection", "gating", "gating with copies"])
def test_sensory_neurons_hear_of_one_sense_and_of_nobody(form):
    start, masks = FORMS[form](40, np.random.default_rng(0))
    motion, colour, decide = parts(40)
    senses = slice(0, colour.stop)
    for part in (start.weights, masks.weights):
        assert not part[:, senses].any()
    assert not start.entry[1, motion].any()
    assert not start.entry[0, colour].any()
    assert not masks.entry[:, senses].any()
    assert not masks.bias[senses].any()
    told = start.entry[2]
    assert told[decide].any() == (form == "selection")
    assert told[senses].any() == (form != "selection")
    if form == "gating with copies":
        copies = slice(40 - 2 * motion.stop, 40)
        assert not any(part[copies].any() for part in (start.weights, masks.weights, start.readout, masks.readout))
        assert (start.entry[:2, copies] != 0).all()


def test_a_chain_has_an_order_in_which_weights_only_lead_forward():
    start, masks = chain(20, np.random.default_rng(0))
    order = np.argsort(masks.weights.sum(axis=0))
    forward = masks.weights[np.ix_(order, order)]
    assert np.array_equal(forward, np.triu(np.ones((20, 20)), 1))
    assert not start.weights[masks.weights == 0].any()
    assert {selection, gating, sequence} < set(FORMS.values())
    assert set(FORMS) == set(get_args(Form))


def test_a_sequence_has_weights_to_the_next_stage_alone():
    start, masks = sequence(20, np.random.default_rng(0))
    fans = masks.weights.sum(axis=0), masks.weights.sum(axis=1), masks.entry[0]
    assert [sorted(each) for each in fans] == [[0] * 2 + [2] * 18, [0] * 2 + [2] * 18, [0] * 18 + [1] * 2]
    assert not np.linalg.matrix_power(masks.weights, 10).any()  # ten stages, and no way round
    assert np.linalg.matrix_power(masks.weights, 9).any()
    assert np.array_equal(start.weights != 0, masks.weights != 0)
    assert not start.entry[masks.entry == 0].any()


@pytest.mark.parametrize("task", [Evidence(), Value(), TwoSources()], ids=lambda task: type(task).__name__)
def test_a_perfect_report_is_as_right_as_the_best(task):
    rng = np.random.default_rng(0)
    inputs, target, weight = task.batch(4000, rng)
    assert inputs.shape[:2] == target.shape == weight.shape
    assert np.isfinite(inputs).all()
    session = task.session(4000, task.duration, np.random.default_rng(0))
    # a share of p in 4,000 trials has a standard error of at most .008
    assert task.outcome(session, target).mean() == pytest.approx(task.best(), abs=0.02)
    assert task.outcome(session, -target).mean() < 0.5
    assert np.isfinite(task.probes()).all()
    assert task.probes().shape[2] == inputs.shape[2]


def test_a_session_without_a_stimulus_is_darkness():
    for task in (Evidence(), Value(), TwoSources()):
        inputs = task.inputs(Session(2, 1.0))
        assert inputs.shape == (2, 50, len(task.features))
        assert not inputs.any()
        assert set(task.outcome(Session(2, 1.0), np.full((2, 50), 0.3))) <= {0.0, 1.0}
    with pytest.raises(SimlabError, match="this task shows 'evidence'"):
        Evidence().inputs(Value().session(2, 1.0, np.random.default_rng(0)))


@pytest.mark.parametrize("trials", [1, 2, 31, 200])
def test_either_context_has_half_of_the_trials_and_all_its_pairs_in_turn(trials):
    session = TwoSources().session(trials, 1.0, np.random.default_rng(0))
    condition, context = np.array(session.conditions), session.stimulus.values[:, 0, 2]
    assert np.array_equal(context > 0, condition < 36)
    assert abs(int((context > 0).sum()) - int((context < 0).sum())) <= 1
    times = np.bincount(condition, minlength=72)
    assert all(np.ptp(part) <= 1 for part in np.split(times, 2))
