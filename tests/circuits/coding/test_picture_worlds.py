"""Cells that look at pictures: concept cells and what they are made of, sparse codes, and mixtures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import simlab
from circuits.coding.concept_hierarchy import ConceptHierarchy
from circuits.coding.mixed_selectivity import MixedSelectivity
from circuits.coding.pictures import Firing, Screening, codes
from circuits.coding.sparse_code import SparseCode
from simlab.activity_statistics import fano_factors, interval_cv
from simlab.contracts import SimlabError
from simlab.data import mean_rates
from simlab.session import Session, Stimulus
from simlab.streams import stream

SHOWN = Screening(concepts=6, pictures=3)
HIERARCHY = ConceptHierarchy(known=60, shown=SHOWN)


def ran(circuit, trials=108):
    subject = circuit.subject(stream(1, "subject"))
    session = subject.session(trials=trials, duration=2.0, rng=stream(1, "session"))
    return subject, subject.run(session, stream(1, "run"))


@pytest.mark.parametrize("name", ["concept_hierarchy", "sparse_code", "mixed_selectivity"])
def test_they_keep_the_contract(name):
    assert simlab.check(name).ok


def test_every_picture_is_shown_once_before_any_is_shown_again_and_nothing_in_the_pause():
    shown = SHOWN.session(36, 2.0, np.random.default_rng(0)).stimulus.values[:, :, 0]
    assert np.isnan(shown[:, 0]).all()
    for part in (shown[:18, 1], shown[18:, 1]):
        assert sorted(part) == list(range(18))


def test_counts_follow_the_equation_and_the_pause_is_at_baseline():
    subject, activity = ran(HIERARCHY, 360)
    picture = activity["stimulus"].values[:, 1, 0].astype(int)
    trial, time, cell = (activity[f"spike_{name}"].values for name in ("trial", "time", "neuron"))
    counts = np.zeros((2, 360, HIERARCHY.n_cells))
    for k, inside in enumerate((time < 1.3, time >= 1.3)):  # pictures come at 1 s, responses .3 s later
        np.add.at(counts[k], (trial[inside], cell[inside]), 1)
    assert counts[0].mean(axis=0) / 1.3 == pytest.approx(subject.baseline, abs=0.25)
    expected = 0.7 * (subject.baseline + subject.gain * subject.response.T[picture])
    slope = (expected * counts[1]).sum(axis=0) / (expected**2).sum(axis=0)
    assert np.median(slope) == pytest.approx(1, abs=0.1)


def test_the_layers_are_what_the_docstring_says_by_another_route():
    """Pictures as sets: a concept cell fires for those that hold all its parts, a part cell for those that hold it."""
    circuit = replace(HIERARCHY, feature_cells=20, part_cells=20, concept_cells=20)
    rng = stream(1, "subject")
    sets, wiring = circuit._known(rng), circuit._wiring(rng)
    assert len({tuple(k) for k in sets}) == circuit.known
    views = np.random.default_rng(2).integers(0, circuit.views, (6, 3, circuit.parts))
    response = circuit.respond(wiring, sets, views)
    for concept in range(6):
        for picture in range(3):
            held = dict(zip(sets[concept], views[concept, picture], strict=True))
            said = [
                *[float(held.get(part) == view) for part, view in wiring.features],
                *[float(part in held) for part in wiring.parts],
                *[float(set(sets[own]) <= set(held)) for own in wiring.concepts],
            ]
            assert response[:, concept, picture].tolist() == said


def test_only_concept_cells_of_what_is_shown_are_selective():
    subject = HIERARCHY.subject(stream(3, "subject"))
    concept = subject.codes.concept
    assert (concept[:30] == "none").all()
    alone = subject.response.reshape(len(concept), 6, 3).min(axis=2)
    for cell in np.flatnonzero(concept != "none"):
        assert concept[cell] == SHOWN.names[alone[cell].argmax()]
        assert alone[cell].sum() == 1
    assert 5 < (concept != "none").sum() < 25  # half of 30 on average


def test_a_response_is_of_one_concept_only_if_it_is_alike_for_all_its_pictures_and_for_no_other():
    names = np.array(["a", "b"], dtype=object)
    response = np.zeros((5, 3, 2))
    response[0, 1] = 1
    response[1, 1] = (1, 0.5)  # not invariant
    response[2, :2] = 1  # two concepts
    response[3, 2] = 1  # one that was not shown
    found = codes(response, names)
    assert list(found.concept) == ["b", "none", "none", "none", "none"]
    assert list(found.number) == [1, 1, 2, 1, 0]


@pytest.mark.parametrize("over", ["concepts", "pictures"])
def test_the_sparse_code_is_as_sparse_as_the_concepts_and_of_none(over):
    like = replace(HIERARCHY, feature_cells=0, part_cells=0, concept_cells=600)
    one, other = (c.subject(stream(2, "s")) for c in (like, SparseCode(over=over, known=500).imitating(like)))
    assert other.response.mean() == pytest.approx(one.response.mean(), rel=0.15)
    assert (other.codes.concept == "none").all()
    per_concept = other.response.reshape(600, 6, 3)
    assert (np.ptp(per_concept, axis=2) == 0).all() == (over == "concepts")
    if over == "concepts":  # a binomial number of the concepts shown
        share = ((per_concept[:, :, 0].sum(axis=1)) == 1).mean()
        a = 0.5 / 6
        assert share == pytest.approx(6 * a * (1 - a) ** 5, abs=0.06)
        assert other.codes.number.mean() == pytest.approx(500 * a, rel=0.05)


def test_a_sparse_code_of_one_concept_in_all_holds_concept_cells():
    cells = SparseCode(like=replace(HIERARCHY, concept_cells=200), known=12, sparseness=1 / 12).subject(stream(1, "s"))
    assert (cells.codes.concept != "none").mean() > 0.1


def test_of_a_mixture_only_cells_for_an_object_are_selective():
    circuit = MixedSelectivity()
    subject = circuit.subject(stream(1, "s"))
    assert (subject.codes.concept[:15] != "none").all()
    assert (subject.codes.concept[15:] == "none").all()
    assert set(np.unique(subject.response)) == {0, 0.5, 1}


@pytest.mark.parametrize("circuit", [HIERARCHY, SparseCode(like=HIERARCHY, known=200), MixedSelectivity()])
def test_activity_is_that_of_the_lobe(circuit):
    _, activity = ran(circuit)
    regime = circuit.regime
    assert regime.rate[0] < mean_rates(activity).mean() < regime.rate[1]
    assert regime.interval_cv[0] < np.nanmean(interval_cv(activity)) < regime.interval_cv[1]
    assert regime.fano[0] < np.nanmean(fano_factors(activity)) < regime.fano[1]


def test_what_cannot_be_is_refused():
    with pytest.raises(SimlabError, match="known must be from the 20 concepts shown"):
        ConceptHierarchy(known=10)
    subject = HIERARCHY.subject(stream(1, "s"))
    with pytest.raises(SimlabError, match=r"in 0\.\.17, got 18: show one of them"):
        subject.run(Session(1, 1.0, Stimulus(("picture",), np.full((1, 1, 1), 18.0), 1.0)), stream(1, "r"))
    quiet = subject.rates(Session(1, 1.0))
    assert quiet[0, 0] == pytest.approx(subject.baseline)
    assert Firing().latency == pytest.approx(0.3)
