"""Cells that the place drives: matched to the attractor, without synapses, and of the shape that is stated."""

import numpy as np
import pytest

from circuits.space.feedforward_grid import FeedforwardGrid
from circuits.space.grid_attractor import GridAttractor
from circuits.space.image import folded, grid_steps
from circuits.space.modulated_grid import ModulatedGrid
from circuits.space.place_cells import PlaceCells
from simlab.activity_statistics import interval_cv, pairwise_correlations
from simlab.contracts import SimlabError
from simlab.data import bin_spikes, mean_rates
from simlab.session import Effect
from simlab.streams import stream

LIKE = GridAttractor(n_neurons=40, asleep=0.5)
TWINS = {
    "attractor": LIKE,
    "feedforward": FeedforwardGrid(LIKE),
    "replay": FeedforwardGrid(LIKE, replay=True),
    "rhythm": ModulatedGrid(LIKE),
}


@pytest.fixture(scope="module")
def activities():
    """A minute awake and one asleep of each, of one individual."""
    found = {}
    for name, circuit in TWINS.items():
        subject = circuit.subject(stream(1, "subject"))
        session = subject.session(trials=12, duration=10.0, rng=stream(1, "session"))
        found[name] = subject.run(session, stream(1, "run"))
    return found


def parts(activity):
    """Spike counts (bin, neuron) in 250 ms, awake and asleep."""
    counts = bin_spikes(activity, 0.25).values
    return [part.reshape(-1, counts.shape[2]) for part in (counts[:6], counts[6:])]


def pairs(counts):
    return np.corrcoef(counts.T)[np.triu_indices(counts.shape[1], 1)]


def test_rates_tuning_and_irregularity_are_the_attractors(activities):
    rate = {name: mean_rates(a) for name, a in activities.items()}
    variation = {name: np.nanmedian(interval_cv(a)) for name, a in activities.items()}
    for name in ("feedforward", "replay", "rhythm"):
        # 120 s at 2.8 Hz: 340 spikes of a neuron, in some 20 visits of fields: standard error 17%, of 40 neurons 3%
        assert rate[name].mean() == pytest.approx(rate["attractor"].mean(), rel=0.1)
    # awake and asleep together: in replay a neuron's intervals vary with its fields in both
    assert variation["replay"] == pytest.approx(variation["attractor"], rel=0.15)
    awake, driven = (pairs(parts(activities[name])[0]) for name in ("attractor", "feedforward"))
    assert np.corrcoef(awake, driven)[0, 1] > 0.9


@pytest.mark.parametrize(
    ("name", "low", "high"), [("attractor", 0.6, 1), ("replay", 0.6, 1), ("feedforward", -0.2, 0.2)]
)
def test_pairs_keep_their_correlation_in_sleep_where_something_moves_them_together(activities, name, low, high):
    awake, asleep = (pairs(counts) for counts in parts(activities[name]))
    assert low < np.corrcoef(awake, asleep)[0, 1] < high


def test_the_rhythm_is_in_the_population_and_in_nothing_else(activities):
    counts = {name: bin_spikes(a, 0.01).values.sum(axis=2) for name, a in activities.items()}
    power = {name: np.square(np.abs(np.fft.rfft(c - c.mean(), axis=1))).mean(axis=0) for name, c in counts.items()}
    theta = round(8.0 * 10.0)
    assert power["rhythm"][theta] > 10 * np.median(power["rhythm"])
    assert power["feedforward"][theta] < 3 * np.median(power["feedforward"])


def test_a_push_of_one_neuron_reaches_no_other():
    subject = FeedforwardGrid(GridAttractor(n_neurons=20)).subject(stream(2, "subject"))
    session = subject.session(trials=4, duration=5.0, rng=stream(2, "session"))
    push = np.where(np.arange(20) == 0, 5.0, 0.0)
    plain, pushed = (
        mean_rates(subject.run(s, stream(2, "run")))
        for s in (session, session.perturbed(Effect("drive", push, 0.0, 5.0)))
    )
    assert pushed[0] - plain[0] == pytest.approx(100.0, rel=0.2)  # 20 Hz per rheobase
    assert pushed[1:].mean() == pytest.approx(plain[1:].mean(), rel=0.15)


def test_place_cells_make_a_sheet_without_holes_by_persistence_too():
    gudhi = pytest.importorskip("gudhi.sklearn")
    subject = PlaceCells(n_neurons=60).subject(stream(3, "subject"))
    floor = np.indices((18, 18)).reshape(2, -1).T / 17
    bars = gudhi.RipsPersistence([1, 2], homology_coeff_field=3).fit_transform([subject.tuned(floor)])[0]
    scale = 10.0  # Hz, the height of a field
    assert all((b[:, 1] - b[:, 0]).max(initial=0) < 0.5 * scale for b in bars)
    told = subject.truth("topology", None, stream(3))
    assert [int(told[b]) for b in ("b0", "b1", "b2")] == [1, 0, 0]


def test_place_cells_that_leave_the_floor_out_have_no_shape():
    sparse = PlaceCells(n_neurons=4, width=0.03, background=0.0).subject(stream(3, "subject"))
    with pytest.raises(SimlabError, match="take more neurons or a larger width"):
        sparse.truth("topology", None, stream(3))


def test_place_fields_are_independent_given_the_place():
    circuit = PlaceCells(n_neurons=30, asleep=1.0)
    subject = circuit.subject(stream(4, "subject"))
    activity = subject.run(subject.session(trials=10, duration=10.0, rng=stream(4, "session")), stream(4, "run"))
    assert abs(pairwise_correlations(activity, 0.25).mean()) < 0.01  # 400 bins, 435 pairs: standard error .0024


def test_a_figure_of_eight_is_folded_and_a_circle_is_not():
    angle = np.arange(24) * 2 * np.pi / 24
    apart = np.abs(np.arange(24)[:, None] - np.arange(24))
    steps = np.minimum(apart, 24 - apart)
    assert not folded(np.c_[np.cos(angle), np.sin(angle)], steps)
    assert folded(np.c_[np.cos(angle), np.sin(2 * angle)], steps)
    assert grid_steps(4, closed=True).max() == 2
    assert grid_steps(4, closed=False).max() == 3
