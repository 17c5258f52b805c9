"""Populations that share codes or flows, tied retinas and competing cells: their equations by another route."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from circuits.coding import visual
from circuits.coding.common_fluctuations import CommonFluctuations
from circuits.coding.private_codes import PrivateCodes
from circuits.coding.shared_code import SharedCode
from circuits.coding.sparse_coding_cortex import SparseCodingCortex
from circuits.coding.tied_retina import TiedRetina
from circuits.coding.untied_retina import UntiedRetina
from circuits.coding.visual import Look
from circuits.latent.other_flow import OtherFlow
from circuits.latent.shared_flow import SharedFlow, flowing, turning_matrix
from circuits.latent.tensor_population import TensorPopulation
from simlab.contracts import SimlabError
from simlab.instruments.recording.perfect import Perfect
from simlab.questions.shared_mechanism import SharedMechanism
from simlab.questions.similarity import Similarity
from simlab.session import Session, Stimulus
from simlab.streams import stream

CODE = SharedCode(n_neurons=9, n_stimuli=6, n_features=3, n_shared=2, model="rate")


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def shown(circuit, conditions: tuple[int, ...] = (0, 5, 2, 2)):
    subject = circuit.subject(stream(1, "subject"))
    return subject, subject.run(Session(len(conditions), 0.2, conditions=conditions), stream(1, "run"))


def test_a_rate_is_its_mean_and_what_its_features_add_cut_at_zero():
    subject, activity = shown(replace(CODE, gain=0.0, depth=1.5))
    own, rates = subject.parts, activity["rate"].values
    for trial, stimulus in enumerate((0, 5, 2, 2)):
        for neuron in range(9):
            added = sum(own["readout"][neuron, f] * own["stimuli"][stimulus, f] for f in range(4))
            assert rates[trial, :, neuron] == pytest.approx(max(own["base"][neuron] + added, 0.0))
    assert (rates == 0).any()
    assert activity["latent"].values[1, 0] == pytest.approx(own["stimuli"][5])


def test_populations_read_as_many_features_of_which_some_are_the_same():
    subject, _ = shown(CODE)
    reads = subject.parts["readout"] != 0
    assert subject.parts["population"].tolist() == [0] * 5 + [1] * 4
    assert (
        reads[:5].tolist() == [[False, True, True, True]] * 5 or reads[:5].tolist() == [[True, True, True, False]] * 5
    )
    assert reads[5:].sum(axis=1).tolist() == [3] * 4
    assert (reads[0] & reads[5]).sum() == 2
    lengths = np.linalg.norm(subject.parts["readout"], axis=1) / subject.parts["base"]
    assert lengths == pytest.approx(np.full(9, CODE.depth))  # so it is the standard deviation over stimuli


@pytest.mark.parametrize(
    ("circuit", "together"), [(CODE, False), (PrivateCodes(CODE), False), (CommonFluctuations(CODE), True)]
)
def test_gains_move_a_whole_population_and_both_only_if_they_are_common(circuit, together):
    quiet = replace(CODE, depth=0.0, gain=0.05)
    circuit = quiet if circuit is CODE else replace(circuit, like=quiet)
    subject, activity = shown(circuit, tuple(range(6)) * 10)
    moved = (activity["rate"].values[:, 0] / subject.parts["base"] - 1) / (quiet.gain * subject.parts["together"])
    one, other = moved[:, 0], moved[:, 5]
    assert moved[:, :5] == pytest.approx(np.repeat(one[:, None], 5, axis=1))
    assert moved[:, 5:] == pytest.approx(np.repeat(other[:, None], 4, axis=1))
    assert np.allclose(one, other) == together
    assert one.std() == pytest.approx(1, abs=0.3)  # three standard errors of sixty


def test_rivals_of_a_code_share_nothing_and_have_its_task():
    for kind in (PrivateCodes, CommonFluctuations):
        rival = kind().imitating(CODE)
        subject, activity = shown(rival)
        implant = Perfect().implant(subject.anatomy, stream(1, "implant"))
        truth = Similarity().project(subject.truth("similarity", activity, stream(1, "t")), implant.key)
        assert float(truth["similarity"]) == pytest.approx(0, abs=1e-12)
        assert not bool(truth["shared"])
        assert rival.task(13, 0.2, rng()).conditions == CODE.task(13, 0.2, rng()).conditions
        assert (rival.n_neurons, rival.step, rival.model, rival.modalities) == (9, CODE.step, "rate", ("rate",))


def test_what_a_prior_draws_is_a_code_that_is_shared_whole():
    for seed in range(5):
        drawn = CODE.prior(rng(seed))
        assert drawn.n_features == drawn.n_shared in (3, 4, 5, 6)
        assert 0.2 <= drawn.depth <= 0.35
        assert 0.2 <= drawn.gain <= 0.4


FLOW = SharedFlow(n_neurons=8, planes=3, n_stimuli=4, model="rate")


@pytest.mark.parametrize(("circuit", "ratio"), [(FLOW, 1.0), (OtherFlow(FLOW, ratio=2.0), 2.0)])
def test_eigenvalues_are_those_of_the_matrix_that_moves_the_states(circuit, ratio):
    for seed in range(3):
        subject = circuit.subject(stream(seed, "subject"))
        poles = subject.parts["poles"]
        turning = poles.imag / (2 * np.pi)
        assert poles.real == pytest.approx(np.full((2, 3), -1 / FLOW.time_constant))
        assert ((FLOW.frequencies[0] <= turning[0]) & (turning[0] <= FLOW.frequencies[1])).all()
        apart = turning[1] / turning[0]
        assert apart == pytest.approx(np.full(3, ratio)) or apart == pytest.approx(np.full(3, 1 / ratio))
        matrix = turning_matrix(np.exp(poles[0] * 0.02))
        found = np.log(np.linalg.eigvals(matrix)) / 0.02
        assert sorted(found.imag[found.imag > 0]) == pytest.approx(sorted(poles[0].imag))
        truth = SharedMechanism().project(subject.truth("shared_mechanism", None, stream(0, "t")), None)
        assert bool(truth["shared"]) == (ratio == 1)


def test_a_kick_turns_and_decays_as_the_flow_says():
    poles, far = -1 / 0.5 + 2j * np.pi * np.array([0.5, 2.0]), 1e8
    states = flowing(poles, far * np.eye(4), 26, 0.02, rng()) / far
    for plane, pole in enumerate(poles):
        after = np.exp(pole * 0.5)
        assert states[2 * plane, 25, 2 * plane : 2 * plane + 2] == pytest.approx([after.real, after.imag], abs=1e-6)
    assert np.abs(states[0, :, 2:]).max() < 1e-6  # planes do not mix
    assert turning_matrix(np.array([1j])) @ [1.0, 0.0] == pytest.approx([0.0, 1.0])


def test_a_mean_rate_gains_by_features_what_the_flow_leaves_of_a_kick():
    subject = FLOW.subject(stream(2, "subject"))
    steps = np.arange(20_000) * 1e-4  # s, of two seconds
    for population in (0, 1):
        mine = subject.parts["population"] == population
        kept = np.exp(subject.parts["poles"][population][:, None] * steps).mean(axis=1)
        expected = FLOW.kick * subject.parts["scaled"][mine] @ turning_matrix(kept)
        assert FLOW.readout(subject.parts, 2.0)[mine] == pytest.approx(expected, rel=0.02, abs=1e-3)


RETINA = TiedRetina(types=2, patch=3, stride=2, look=Look(side=7))


@pytest.mark.parametrize("circuit", [RETINA, UntiedRetina(like=RETINA)])
def test_a_cell_of_the_retina_sees_the_patch_at_its_place(circuit):
    subject = circuit.subject(stream(1, "subject"))
    pictures = subject.first.reshape(-1, 7, 7)
    assert len(pictures) == 2 * RETINA.n_places == 18
    corners = [(row, column) for row in (0, 2, 4) for column in (0, 2, 4)]
    frames = rng(1).standard_normal((1, 5, 49))
    drive = np.zeros((5, 18))
    for cell, picture in enumerate(pictures):
        row, column = corners[cell % 9]
        patch = picture[row : row + 3, column : column + 3]
        assert np.abs(picture).sum() == pytest.approx(np.abs(patch).sum())
        drive[:, cell] = (frames.reshape(5, 7, 7)[:, row : row + 3, column : column + 3] * patch).sum(axis=(1, 2))
    rate = subject.rates(frames, rng())[0]
    silent = subject.rates(-1e-9 * frames, rng())[0]
    moved = rate / silent  # spontaneous + (1 - spontaneous) 2 [drive]+^2, over spontaneous
    assert moved == pytest.approx(1 + 0.9 / 0.1 * 2 * np.maximum(drive, 0) ** 2)
    assert np.linalg.norm(subject.first, axis=1) == pytest.approx(np.ones(18))  # drives of variance 1 in white frames


@pytest.mark.parametrize(("stride", "places"), [(1, 25), (2, 9), (4, 4), (5, 1)])
def test_places_form_a_lattice_that_fits_the_frame(stride, places):
    circuit = replace(RETINA, stride=stride)
    assert circuit.n_places == places
    assert circuit.placed(np.ones((2, 1, 9))).sum(axis=1) == pytest.approx(np.full(2 * places, 9.0))


CORTEX = SparseCodingCortex(n_neurons=2, threshold=0.5, look=Look(side=4))


@pytest.mark.parametrize(
    ("drive", "expected"),
    [
        ((2.0, 2.0), (1.0, 1.0)),  # a = (d - threshold) / (1 + overlap) where both explain
        ((2.0, 1.5), (4 / 3, 1 / 3)),
        ((2.0, 0.9), (1.5, 0.0)),  # the second is explained away: .9 - .5 < .5 x 1.5
        ((0.4, 0.4), (0.0, 0.0)),
        ((-3.0, 2.0), (0.0, 1.5)),
    ],
)
def test_two_cells_that_overlap_share_a_frame_or_the_stronger_takes_it(drive, expected, monkeypatch):
    monkeypatch.setattr("circuits.coding.sparse_coding_cortex.STEPS", 400)
    elements = np.array([[1.0, 0.0], [0.5, np.sqrt(0.75)]])
    assert CORTEX.codes(np.array(drive)[None, None], elements)[0, 0] == pytest.approx(expected, abs=1e-4)
    alone = replace(CORTEX, inhibition=0.0).codes(np.array(drive)[None, None], elements)[0, 0]
    assert alone == pytest.approx(np.maximum(np.array(drive) - 0.5, 0), abs=1e-6)


def test_quadrature_pairs_are_orthonormal_and_unit_drives_have_variance_one():
    first, second = visual.gabors(30, 9, rng(2))
    for part in (first, second):
        assert (part**2).sum(axis=1) == pytest.approx(np.ones(30))
    assert (first * second).sum(axis=1) == pytest.approx(np.zeros(30), abs=1e-12)
    for frames in ("white", "natural"):
        drives = visual.shown((1, 4000), 9, frames, rng(3))[0] @ visual.unit_drive(first, 9, frames).T
        assert drives.var(axis=0) == pytest.approx(np.ones(30), rel=0.12)  # five standard errors
        assert (visual.amplitudes(9, frames) ** 2).mean() == pytest.approx(1)


def test_courses_of_a_tensor_follow_one_another_and_rates_do_not_fall_below_their_floor():
    circuit = TensorPopulation(n_neurons=5, factors=3, model="rate")
    courses = circuit.courses(0.9)
    assert courses.mean(axis=0) == pytest.approx(np.ones(3))
    assert (np.argmax(courses, axis=0) + 0.5) * circuit.step == pytest.approx([0.15, 0.45, 0.75], abs=0.011)
    subject = circuit.subject(stream(1, "subject"))
    own = subject.parts
    activity = subject.run(Session(4, 0.9), stream(1, "run"))
    assert own["weights"].sum(axis=1) == pytest.approx(np.ones(5))
    assert (activity["rate"].values >= circuit.floor * own["base"] - 1e-12).all()
    expected = np.einsum("ktf,if->kti", activity["latent"].values, own["weights"])
    assert activity["rate"].values == pytest.approx(own["base"] * (0.2 + 0.8 * expected))
    assert sorted(own["trend"]) == [-1, 0, 1]


def test_frames_of_another_size_are_refused_by_name():
    subject = RETINA.subject(stream(1, "subject"))
    small = Stimulus(("a", "b"), np.zeros((1, 3, 2)), 1 / 30)
    for session, got in ((Session(1, 0.1, small), "2 features"), (Session(1, 0.1), "nothing")):
        with pytest.raises(SimlabError, match=f"tied_retina looks at frames of 49 pixels, got {got}: show some"):
            subject.run(session, stream(1, "run"))


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: replace(CODE, n_shared=4), "n_shared must be at most n_features, 3, got 4: what is shared is read"),
        (
            lambda: SharedFlow(frequencies=(2.0, 2.0)),
            r"frequencies must be \(lowest, highest\), got \(2.0, 2.0\): swap",
        ),
        (lambda: OtherFlow(ratio=1.0), "ratio"),
        (lambda: replace(RETINA, patch=8), "patch must fit the frame of 7 pixels, got 8: show larger frames"),
        (lambda: SparseCodingCortex(inhibition=1.5), "inhibition"),
        (lambda: TensorPopulation(n_neurons=3, factors=4), "factors must be at most n_neurons, 3, got 4"),
        (lambda: SharedCode(order="sorted"), "order"),
    ],
    ids=["shared", "frequencies", "ratio", "patch", "inhibition", "factors", "order"],
)
def test_what_cannot_be_is_refused_by_name_with_what_was_got(make, told):
    with pytest.raises(SimlabError, match=told):
        make()
