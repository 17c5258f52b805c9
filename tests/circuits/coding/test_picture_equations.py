"""Cells that look at pictures, by another route: what is shown when, what cells make of it, and what cannot be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from circuits.coding.concept_hierarchy import ConceptHierarchy
from circuits.coding.mixed_selectivity import MixedSelectivity
from circuits.coding.pictures import Codes, Firing, Screening, codes
from circuits.coding.sparse_code import SparseCode
from simlab.contracts import SimlabError
from simlab.session import Session, Stimulus
from simlab.streams import stream

SHOWN = Screening(concepts=5, pictures=3)
HIERARCHY = ConceptHierarchy(known=40, shown=SHOWN)
MIXED = MixedSelectivity(shown=SHOWN)


@pytest.fixture(scope="module")
def beholder():
    return HIERARCHY.subject(stream(5, "subject"))


@pytest.mark.parametrize(
    ("pause", "duration", "onset", "steps"),
    [(1.0, 2.0, 1.0, 2), (1.0, 1.0, 0.5, 2), (0.0, 2.0, 2.0, 1), (0.5, 2.0, 0.5, 4), (0.3, 2.0, 0.3, 7)],
)
def test_a_picture_comes_after_the_pause_and_stays(pause, duration, onset, steps):
    stimulus = Screening(4, 2, pause).session(11, duration, np.random.default_rng(0)).stimulus
    assert stimulus.interval == onset
    values = stimulus.values[:, :, 0]
    assert values.shape == (11, steps)
    assert np.isnan(values[:, 0]).all() == (pause > 0)
    later = values[:, 1:] if pause else values
    assert (later == later[:, :1]).all()
    assert sorted(later[:8, 0]) == list(range(8))  # and three of them once more
    assert len(set(later[8:, 0])) == 3


@pytest.mark.parametrize("latency", [0.0, 0.1, 0.3, 1.0])
def test_rates_follow_the_picture_by_the_latency(latency, beholder):
    circuit = replace(HIERARCHY, firing=Firing(latency=latency))
    values = np.array([np.nan, 4.0, 11.0, np.nan])[None, :, None]
    one = replace(beholder, circuit=circuit)
    rates = one.rates(Session(1, 2.0, Stimulus(("picture",), values, 0.5)))
    late = round(latency * 10)
    picture = ([-1] * late + [-1] * 5 + [4] * 5 + [11] * 5 + [-1] * 5)[:20]
    for k, number in enumerate(picture):
        own = one.baseline + (one.gain * one.response[:, number] if number >= 0 else 0)
        assert rates[0, k] == pytest.approx(own)


def test_how_many_concepts_a_cell_responds_to_is_how_many_hold_its_part():
    rng = stream(5, "subject")
    sets, wiring = HIERARCHY._known(rng), HIERARCHY._wiring(rng)
    holders = np.array([(sets == part).any(axis=1).sum() for part in range(HIERARCHY.n_parts)])
    number = HIERARCHY.subject(stream(5, "subject")).codes.number
    assert number[:15].tolist() == holders[wiring.features[:, 0]].tolist()
    assert number[15:30].tolist() == holders[wiring.parts].tolist()
    assert number[30:].tolist() == [1] * 30


@pytest.mark.parametrize("familiar", [0.0, 1.0])
def test_familiar_is_the_share_of_concept_cells_of_what_is_shown(familiar):
    cells = replace(HIERARCHY, familiar=familiar, part_cells=0, feature_cells=0).subject(stream(2, "s"))
    assert (cells.codes.concept != "none").mean() == familiar
    assert cells.response.any(axis=1).mean() == familiar
    all_known = replace(HIERARCHY, familiar=familiar, known=5, part_cells=0, feature_cells=0).subject(stream(2, "s"))
    assert (all_known.codes.concept != "none").all()  # there is nothing else that they could be of


def test_cells_of_one_view_respond_less_often_than_cells_of_all():
    many = replace(HIERARCHY, shown=Screening(20, 10), part_cells=200, feature_cells=200, concept_cells=0)
    response = many.subject(stream(1, "s")).response
    share = many.parts / many.n_parts
    assert response[200:].mean() == pytest.approx(share, rel=0.2)
    assert response[:200].mean() == pytest.approx(share / many.views, rel=0.2)


def test_each_mixed_cell_is_of_one_object_and_one_context():
    response = MIXED.subject(stream(3, "s")).response.reshape(60, 5, 3)
    this, here = np.eye(5)[:, None, :, None], np.eye(3)[None, :, None, :]
    forms = (this + 0 * here, here + 0 * this, (this + here) / 2, this * here)
    for cell, mine in enumerate(response):
        fits = (forms[cell // 15] == mine).all(axis=(2, 3))
        assert fits.any()
        assert fits.any(axis=0).sum() == (3 if cell < 15 else 1)  # an object cell has no context
        assert fits.any(axis=1).sum() == (5 if 15 <= cell < 30 else 1)


def test_mixed_cells_are_of_as_many_concepts_as_move_them():
    number = MIXED.subject(stream(3, "s")).codes.number.reshape(4, 15)
    assert [set(kind.tolist()) for kind in number] == [{1}, {5}, {5}, {1}]


@pytest.mark.parametrize("numbers", [(3, 0, 0, 0), (0, 4, 0, 0), (0, 0, 2, 5)])
def test_kinds_of_cells_can_be_left_out(numbers):
    kinds = ("object_cells", "context_cells", "additive_cells", "conjunctive_cells")
    subject = replace(MIXED, **dict(zip(kinds, numbers, strict=True))).subject(stream(1, "s"))
    assert subject.response.shape == (sum(numbers), 15)
    assert (subject.codes.concept != "none").sum() == numbers[0]


def test_a_sparse_code_keeps_all_but_the_concept_cells():
    one, other = (c.subject(stream(4, "s")) for c in (HIERARCHY, SparseCode(known=300).imitating(HIERARCHY)))
    assert (one.response[:30] == other.response[:30]).all()
    assert one.codes.number[:30].tolist() == other.codes.number[:30].tolist()
    for field in ("baseline", "gain"):
        assert (getattr(one, field) == getattr(other, field)).all()
    assert one.anatomy.equals(other.anatomy)


@pytest.mark.parametrize(("sparseness", "share"), [(0.0, 0.0), (1.0, 1.0), (0.3, 0.3)])
@pytest.mark.parametrize("over", ["concepts", "pictures"])
def test_sparseness_is_the_share_of_responses(sparseness, share, over):
    like = replace(HIERARCHY, feature_cells=0, part_cells=0, concept_cells=300)
    subject = SparseCode(like=like, known=30, sparseness=sparseness, over=over).subject(stream(1, "s"))
    assert subject.response.mean() == pytest.approx(share, abs=0.03)
    per_concept = sparseness if over == "concepts" else 1 - (1 - sparseness) ** 3
    assert subject.codes.number.mean() == pytest.approx(30 * per_concept, abs=1)


def test_imitation_is_as_sparse_as_familiar_concepts_allow():
    for familiar, concepts, expected in ((1.0, 5, 0.2), (0.5, 5, 0.1), (1.0, 1, 1.0), (0.0, 5, 0.0)):
        circuit = replace(HIERARCHY, familiar=familiar, shown=Screening(concepts, 2))
        assert SparseCode().imitating(circuit).sparseness == pytest.approx(expected)


def test_codes_are_joined_and_cut():
    names = np.array(["a", "b"], dtype=object)
    both = codes(np.eye(3)[:, :, None], names)
    assert list(both.concept) == ["a", "b", "none"]
    more = both.first(1).with_more(Codes(np.array(["none"], dtype=object), np.array([7])))
    assert list(more.concept) == ["a", "none"]
    assert list(more.number) == [1, 7]


def test_the_prior_moves_the_baseline_alone():
    for seed in range(10):
        drawn = HIERARCHY.prior(np.random.default_rng(seed))
        assert 0.5 <= drawn.firing.baseline / HIERARCHY.firing.baseline <= 2
        assert replace(drawn, firing=HIERARCHY.firing) == HIERARCHY


CANNOT_BE = {
    "no cell": (lambda: replace(HIERARCHY, feature_cells=0, part_cells=0, concept_cells=0), "must not all be 0"),
    "too few sets": (lambda: replace(HIERARCHY, n_parts=4), "to the 1 sets of 4 among n_parts=4, got 40"),
    "more parts than there are": (lambda: replace(HIERARCHY, n_parts=3), "to the 0 sets of 4"),
    "too many views": (lambda: replace(HIERARCHY, views=10, known=1000, parts=4), "must be <= 300000, got 10000000"),
    "fewer than shown": (lambda: SparseCode(like=HIERARCHY, known=4), "at least the 5 concepts that are shown, got 4"),
    "too many": (
        lambda: SparseCode(like=replace(HIERARCHY, concept_cells=2000), known=100_000), "<= 2e[+]08, got 6e[+]08",
    ),
    "no mixed cell": (lambda: MixedSelectivity(0, 0, 0, 0), "there must be a cell of some kind"),
    "no concept": (lambda: Screening(concepts=0), "concepts"),
    "no picture": (lambda: Screening(pictures=0), "pictures"),
    "a pause before now": (lambda: Screening(pause=-1.0), "pause"),
    "no baseline": (lambda: Firing(baseline=0.0), "baseline"),
    "a late response": (lambda: Firing(latency=1.5), "latency"),
    "half a cell": (lambda: replace(HIERARCHY, part_cells=0.5), "part_cells"),
    "over neither": (lambda: SparseCode(over="views"), "over"),
    "more than all": (lambda: replace(HIERARCHY, familiar=1.1), "familiar"),
}  # fmt: skip


@pytest.mark.parametrize("what", CANNOT_BE)
def test_what_cannot_be_is_refused_by_its_name(what):
    make, words = CANNOT_BE[what]
    with pytest.raises(SimlabError, match=words):
        make()


@pytest.mark.parametrize(("number", "said"), [(15.0, "got 15"), (-1.0, "got -1"), (0.5, "got 0.5")])
def test_a_picture_that_is_none_of_them_is_refused(number, said, beholder):
    shown = Stimulus(("picture",), np.full((1, 1, 1), number), 1.0)
    with pytest.raises(SimlabError, match=rf"in 0\.\.14, {said}"):
        beholder.rates(Session(1, 1.0, shown))


def test_another_feature_is_refused_and_so_is_another_question(beholder):
    with pytest.raises(SimlabError, match="is shown one feature, 'picture'"):
        beholder.rates(Session(1, 1.0, Stimulus(("angle",), np.zeros((1, 1, 1)), 1.0)))
    with pytest.raises(LookupError, match="can answer selectivity, got 'connectivity'"):
        beholder.truth("connectivity", None, np.random.default_rng(0))
