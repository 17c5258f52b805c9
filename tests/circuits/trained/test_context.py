"""Choices by context, selected within or gated before: equally good, and told apart by equations and by pushes."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import expm

from circuits.trained.cells import Cells
from circuits.trained.context_gating import ContextGating
from circuits.trained.context_selection import ContextSelection
from circuits.trained.solutions import parts
from circuits.trained.tasks import TwoSources
from circuits.trained.training import STEP, followed
from simlab.contracts import SimlabError
from simlab.session import Effect, Session
from simlab.simulators import kept_networks
from simlab.streams import stream

N = 40
LIKE = ContextSelection(cells=Cells(n_neurons=N), steps=250, batch=32)
MOTION, COLOUR, DECIDE = parts(N)
BEHIND = replace(LIKE, steps=40)
"""A gate is there from the start, and what is behind it has little to learn."""
TRIALS = 720
LEAK = np.full(N, STEP / 0.1)
COPIES = np.arange(N) >= N - 2 * MOTION.stop


@pytest.fixture(scope="module")
def subjects(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.setattr(kept_networks, "_found", {})
        return {
            "selection": LIKE.subject(stream(1, "subject")),
            "gating": ContextGating(BEHIND).subject(stream(1, "subject")),
            "copies": ContextGating(BEHIND, copies=True).subject(stream(1, "subject")),
        }


def pulses(context, sense, size=1.0, trials=1):
    """Inputs (trial, step, 3) in a context, with .1 s of evidence for one sense from .3 s on."""
    inputs = np.zeros((trials, 50, 3))
    inputs[:, :, 2] = context
    inputs[:, 15:20, sense] = size
    return inputs


def effect(subject, context, sense):
    """What such a pulse changes in y (step, neuron), without noise."""
    hit, free = (followed(subject.found, LEAK, pulses(context, sense, size)) for size in (1.0, 0.0))
    return (hit - free)[0]


def ratio(subject, measure):
    """Of what a pulse of either sense does where it does not count to what it does where it does; the larger one."""
    return max(
        measure(effect(subject, -counts, sense), sense) / measure(effect(subject, counts, sense), sense)
        for sense, counts in ((0, 1.0), (1, -1.0))
    )


def test_all_solutions_are_equally_good(subjects):
    right = {}
    for name, subject in subjects.items():
        session = subject.session(trials=TRIALS, duration=1.0, rng=stream(2))
        right[name] = float(subject.run(session, stream(3))["outcome"].mean())
    assert np.ptp(list(right.values())) <= 0.05  # with a standard error of .01 each
    assert min(right.values()) > TwoSources().best() - 0.07


def test_both_select(subjects):
    for subject in subjects.values():
        readout = subject.found.readout
        assert ratio(subject, lambda change, _, readout=readout: abs(float(change[-1] @ readout))) < 0.35


def test_what_does_not_count_enters_the_one_network_as_strongly_as_what_does_and_the_other_not_at_all(subjects):
    def drive(subject):
        """The drive that sensory neurons bring to those that decide, at its largest."""

        def size(change, sense):
            cells = (MOTION, COLOUR)[sense]
            return np.linalg.norm(change[:, cells] @ subject.found.weights[cells, DECIDE], axis=1).max()

        return ratio(subject, size)

    assert drive(subjects["selection"]) == pytest.approx(1.0)  # no context reaches them: the same to rounding
    # the slope of tanh at -4 is .0013, and at -3, where a pulse of 1 takes it, .0099
    assert drive(subjects["gating"]) < 0.02
    assert drive(subjects["copies"]) < 0.02


HORIZON = 0.5
"""s, until the report: within it a trial's evidence comes in."""


def selection_vectors(subject):
    """For either context, by what each neuron that decides moves the report HORIZON later, where there is no evidence.

    exp(J' HORIZON) r, which as HORIZON grows turns to the left eigenvector of the slowest mode, the selection vector of
    Mante et al. 2013.
    """
    readout = subject.found.readout
    return [expm(subject.network.jacobian(s).T * HORIZON)[DECIDE] @ readout for s in subject.left_in()]


def test_selection_vectors_turn_towards_what_counts_where_nothing_is_gated(subjects):
    """To first order, from the Jacobian: what a sense brings in is as large in both contexts, and taken in in one."""
    subject = subjects["selection"]
    taken = np.abs(
        [
            [vector @ gains(subject, state) @ into(subject, cells) for cells in (MOTION, COLOUR)]
            for vector, state in zip(selection_vectors(subject), subject.left_in(), strict=True)
        ]
    )
    assert taken[0, 1] < 0.35 * taken[0, 0]
    assert taken[1, 0] < 0.35 * taken[1, 1]


def gains(subject, state):
    """The slopes (neuron, neuron) of those that decide, in a state [Hz] at which they rest: tanh' = 1 - y^2."""
    y = state[DECIDE] / subject.cells.base - 1
    return np.diag(1 - y**2)


def into(subject, cells):
    """The direction (neuron,) in which a sense drives those that decide."""
    sense = 0 if cells == MOTION else 1
    return subject.found.entry[sense, cells] @ subject.found.weights[cells, DECIDE]


def test_behind_a_gate_the_vector_is_the_same_in_both_contexts(subjects):
    def cosine(subject):
        one, other = selection_vectors(subject)
        return one @ other / np.linalg.norm(one) / np.linalg.norm(other)

    assert cosine(subjects["gating"]) > 0.999
    assert cosine(subjects["copies"]) > 0.999
    assert cosine(subjects["selection"]) < 0.9


def test_a_push_along_the_path_of_a_sense_is_discarded_within_and_taken_behind_a_gate(subjects):
    """Past the gate, where motion comes in, in the context of colour: only who selects within ignores it."""
    kept = {}
    for name in ("selection", "gating"):
        subject, reports = subjects[name], {}
        path = np.zeros(N)
        path[DECIDE] = into(subject, MOTION)
        path *= 0.5 / np.abs(path).max()
        for context in (1.0, -1.0):
            session = told(context)
            pushed = session.perturbed(Effect("drive", path, 0.3, 0.4))
            free, hit = (subject.run(s, stream(5))["behaviour"].values[:, -5:, 0].mean() for s in (session, pushed))
            reports[context] = hit - free
        kept[name] = abs(reports[-1.0] / reports[1.0])
    assert kept["gating"] > 0.7
    assert kept["selection"] < 0.5


def told(context, trials=TRIALS):
    """A session of nothing but a context."""
    task = TwoSources()
    session = task.session(trials, 1.0, np.random.default_rng(0))
    values = np.full(session.stimulus.values.shape, np.nan)
    values[:, :, 2] = context
    return Session(trials, 1.0, replace(session.stimulus, values=values))


@pytest.mark.slow
def test_lesions_of_a_sense_cost_its_context_and_copies_cost_nothing(subjects):
    session = TwoSources().session(TRIALS, 1.0, stream(6))
    counts = np.array(session.conditions) < 36  # motion
    for name, subject in subjects.items():
        hold = np.where(np.arange(N) < MOTION.stop, 20.0, np.nan)
        hit = subject.run(session.perturbed(Effect("hold", hold, 0.0, 1.0)), stream(7))["outcome"].values
        assert hit[counts].mean() < 0.65  # 360 trials of chance: .5 +- .026
        assert hit[~counts].mean() > 0.8, name
    copies = subjects["copies"]
    held = session.perturbed(Effect("hold", np.where(COPIES, 20.0, np.nan), 0.0, 1.0))
    free, hit = (copies.run(s, stream(8))["behaviour"].values for s in (session, held))
    assert np.array_equal(free, hit)


def test_copies_carry_both_senses_in_both_contexts(subjects):
    subject = subjects["copies"]
    assert ratio(subject, lambda change, _: np.abs(change[:, COPIES]).max()) == pytest.approx(1.0)
    plain = subjects["gating"]
    assert ratio(plain, lambda change, _: np.abs(change[15:, COPIES]).max()) < 0.1


def test_regions_are_the_parts_and_impossible_ones_are_refused(subjects):
    region = subjects["gating"].anatomy["region"].values
    for cells, name in ((MOTION, "motion"), (COLOUR, "colour"), (DECIDE, "deciding")):
        assert set(region[cells]) == {name}
    assert ContextGating().imitating(LIKE) == ContextGating(LIKE)
    with pytest.raises(SimlabError, match="n_neurons"):
        Cells(n_neurons=4)
    with pytest.raises(SimlabError, match="outside the regime"):
        replace(LIKE, steps=1, shortfall=0.0).subject(stream(1, "subject"))
