"""Every drawing shows what the answers say, whatever their variables are called, and survives the smallest of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from answered import (
    CONFUSION,
    FILTERS,
    MATRIX,
    PARTITION,
    SCATTER,
    TRACES,
    filtered,
    labelled,
    latent,
    numbered,
    per_unit,
    wiring,
)
from matplotlib.figure import Figure

from simlab.contracts import Picture, SimlabError
from simlab.report.figures import save
from simlab.report.pictures import KINDS, Answer, draw, over_cells


def words(figure: Figure) -> str:
    """All text in a figure: titles, labels, numbers in cells, legends."""
    found = [figure.get_suptitle()]
    for axes in figure.axes:
        found += [axes.get_title(loc="left"), axes.get_xlabel(), axes.get_ylabel()]
        found += [t.get_text() for t in (*axes.texts, *axes.get_xticklabels(), *axes.get_yticklabels())]
        found += [t.get_text() for t in (axes.get_legend().get_texts() if axes.get_legend() else ())]
    found += [t.get_text() for legend in figure.legends for t in legend.get_texts()]
    return "\n".join(found)


def shown_panels(figure: Figure) -> list:
    return [axes for axes in figure.axes if axes.get_visible()]


def counts_shown(axes) -> dict[tuple[int, int], int]:
    """Row, column -> the number written there."""
    return {(int(t.get_position()[1]), int(t.get_position()[0])): int(t.get_text()) for t in axes.texts}


# ---- matrix


def test_found_missed_and_false_edges_are_counted_among_the_pairs_that_are_asked():
    answer = wiring(20)
    claimed, edge, ambiguous = answer.estimate["decided"], answer.truth["edge"].values, answer.truth["ambiguous"].values
    asked = ~np.eye(20, dtype=bool) & ~ambiguous
    text = words(draw(MATRIX, [answer], "best"))
    assert f"found {(edge & claimed & asked).sum()}" in text
    assert f"missed {(edge & ~claimed & asked).sum()}" in text
    assert f"false {(~edge & claimed & asked).sum()}" in text
    assert f"not asked {ambiguous[~np.eye(20, dtype=bool)].sum()}" in text


def test_false_edges_are_told_apart_from_those_found():
    answer = wiring(20)
    verdict = draw(MATRIX, [answer], "best").axes[2].images[0]
    code = np.asarray(verdict.get_array())
    edge, claimed = answer.truth["edge"].values, answer.estimate["decided"]
    order = np.lexsort((np.arange(20), -np.sign(answer.truth["weight"].values.sum(axis=1))))
    assert ((code == 1) == (edge & claimed)[np.ix_(order, order)]).all()
    assert len({tuple(verdict.cmap(verdict.norm(k))) for k in range(4)}) == 4


def test_a_claim_without_a_flag_of_the_truth_is_held_against_what_is_not_zero():
    answer = wiring(10)
    perfect = Answer(
        {"score": answer.estimate["score"], "decided": answer.truth["weight"].values != 0}, answer.truth, ""
    )
    text = words(draw(Picture("matrix", "score", "weight", marked="decided"), [perfect], "best"))
    assert "missed 0" in text
    assert "false 0" in text
    assert "not asked" not in text


def test_a_truth_stored_the_other_way_round_is_turned():
    answer = wiring(10)
    turned = Answer(answer.estimate, answer.truth.transpose("post", "pre"), "")
    as_it_is, again = (draw(MATRIX, [a], "").axes[0].images[0].get_array() for a in (answer, turned))
    assert np.array_equal(as_it_is, again)


def test_an_unmarked_matrix_has_no_verdict():
    titles = [a.get_title(loc="left") for a in draw(Picture("matrix", "score", "weight"), [wiring(10)], "").axes]
    assert titles[:2] == ["true weight", "answered score"]
    assert "decided" not in titles


def test_no_true_edge_is_said():
    assert "no pair has any true weight" in words(draw(MATRIX, [wiring(8, density=0.0)], ""))


# ---- confusion


def test_a_confusion_counts_answers_over_cells():
    answers = labelled([("ring", "ring")] * 3 + [("ring", "chain")] * 2 + [("chain", "chain")])
    panel = draw(CONFUSION, answers, "").axes[0]
    assert [t.get_text() for t in panel.get_xticklabels()] == ["chain", "ring"]
    assert counts_shown(panel) == {(0, 0): 1, (1, 0): 2, (1, 1): 3}
    assert "67% of 6 answers right" in panel.get_title(loc="left")


def test_labels_that_the_brief_lists_are_columns_even_if_nobody_answered_them():
    answers = labelled([("ring", "ring")], listed=("ring", "bump", "attractor"))
    panel = draw(CONFUSION, answers, "").axes[0]
    assert [t.get_text() for t in panel.get_xticklabels()] == ["ring", "bump", "attractor"]
    assert [t.get_text() for t in panel.get_yticklabels()] == ["ring"]


def test_each_method_has_a_confusion_of_its_own():
    panels = shown_panels(draw(CONFUSION, labelled([("a", "a")], "glm") + labelled([("a", "b")] * 2, "other"), ""))
    assert [counts_shown(p) for p in panels] == [{(0, 0): 1}, {(0, 1): 2}]


def test_a_confusion_over_units_counts_the_units_of_the_first_answer():
    answer = per_unit(["E", "E", "I"], ["E", "I", "I"], "label")
    figure = draw(CONFUSION, [answer, answer], "")
    assert counts_shown(figure.axes[0]) == {(0, 0): 1, (0, 1): 1, (1, 1): 1}
    assert "3 units" in words(figure)


# ---- scatter


def test_a_scatter_states_rank_correlation_and_units():
    text = words(draw(SCATTER, [per_unit([1.0, 2, 3, 4], [2.0, 1, 3, 4], "number", units="Hz")], ""))
    assert "rank correlation 0.80, n = 4" in text
    assert "true number [Hz]" in text
    assert "answered number [Hz]" in text


def test_whole_numbers_of_circuits_are_moved_apart_and_others_are_not():
    def offsets(said):
        return np.asarray(draw(SCATTER, numbered([1] * 9 + [2], said), "").axes[0].collections[0].get_offsets())

    apart = offsets([1] * 10)
    assert len(np.unique(apart, axis=0)) == 10
    assert np.abs(apart[:, 1] - 1).max() < 0.5
    assert (offsets([1.5] * 10)[:, 1] == 1.5).all()


def test_units_are_never_moved():
    dots = draw(SCATTER, [per_unit([1, 1, 2], [1, 1, 2], "number")], "").axes[0].collections[0].get_offsets()
    assert np.asarray(dots).tolist() == [[1, 1], [1, 1], [2, 2]]


def test_a_unit_without_a_true_number_is_left_out():
    assert "n = 2" in words(draw(SCATTER, [per_unit([1.0, np.nan, 3], [1.0, 2, 3], "number")], ""))


def test_a_constant_truth_has_no_rank_correlation():
    assert "rank correlation –" in words(draw(SCATTER, [per_unit([1.0] * 5, np.arange(5.0), "number")], ""))


def test_each_method_has_its_own_rank_correlation():
    answers = numbered([1, 2, 3], [1, 2, 3], "good") + numbered([1, 2, 3], [3, 2, 1], "bad")
    text = words(draw(SCATTER, answers, ""))
    assert "good\nrank correlation 1.00, n = 3" in text
    assert "bad\nrank correlation −1.00, n = 3" in text


# ---- filters


def test_filters_are_scaled_to_unit_norm_and_keep_their_sign():
    answer = filtered(1, noise=0.0)
    upside_down = Answer({"filter": -3 * answer.truth["filter"].values}, answer.truth, "")
    panel = draw(FILTERS, [upside_down], "").axes[0]
    true, said = (line.get_ydata() for line in panel.lines if len(line.get_xdata()) == 20)
    assert np.linalg.norm(true) == pytest.approx(1)
    assert said == pytest.approx(-true)
    assert panel.get_title(loc="left") == "unit 0, cosine −1.00"
    assert panel.get_xlabel() == "lag [s]"


def test_units_are_shown_from_the_best_answered_to_the_worst():
    panels = shown_panels(draw(FILTERS, [filtered(10, noise=0.05)], ""))
    shown = [float(p.get_title(loc="left").split("cosine ")[1]) for p in panels]
    assert len(shown) == 6
    assert shown == sorted(shown, reverse=True)
    assert shown[0] > shown[-1]


def test_a_filter_over_lag_and_feature_is_cut_at_its_peak():
    answer = filtered(2, noise=0.0, n_features=5)
    panel = draw(FILTERS, [answer], "").axes[0]
    true = next(line.get_ydata() for line in panel.lines if line.get_label() == "true")
    values = answer.truth["filter"].values[0]
    assert true == pytest.approx(values[:, 2] / np.linalg.norm(values))


def test_filters_over_pixels_are_drawn_as_pictures_side_by_side():
    rng = np.random.default_rng(0)
    true = xr.Dataset({"filter": (("unit", "feature"), rng.standard_normal((4, 6)), {"grid": (2, 3)})})
    figure = draw(FILTERS, [Answer({"filter": true["filter"].values}, true, "")], "")
    drawn = [panel for panel in figure.axes if panel.images]
    assert len(drawn) == 4
    shown = np.ma.filled(drawn[0].images[0].get_array().astype(float), np.nan)
    assert shown.shape == (2, 7)
    assert shown[:, :3] == pytest.approx(shown[:, 4:])
    assert "cosine 1.00" in drawn[0].get_title(loc="left")


def test_filters_that_are_zero_are_drawn_flat_without_a_cosine():
    flat = Answer({"filter": np.zeros((2, 4))}, xr.Dataset({"filter": (("unit", "lag"), np.ones((2, 4)))}), "")
    text = words(draw(FILTERS, [flat], ""))
    assert "unit 0, cosine –" in text
    assert "lag (index)" in text


# ---- traces


def test_an_answer_that_is_an_affine_map_of_the_truth_explains_all_of_it():
    answer = latent(4, n_factors=2)
    figure = draw(TRACES, [answer], "")
    assert [axes.get_ylabel() for axes in figure.axes if axes.get_ylabel()] == [
        "factor 1\nR² 1.00",
        "factor 2\nR² 1.00",
    ]
    said = next(line.get_ydata() for line in figure.axes[0].lines if line.get_label() == "answered")
    assert said == pytest.approx(answer.truth["latent"].values[0, :, 0], abs=1e-8)
    assert "time [s]" in words(figure)


def test_a_constant_answer_explains_nothing():
    answer = latent(4, n_factors=1)
    still = Answer({"latent": np.ones((4, 100, 1))}, answer.truth, "")
    assert "R² 0.00" in words(draw(TRACES, [still], ""))


def test_a_few_trials_are_shown():
    titles = [a.get_title(loc="left") for a in draw(TRACES, [latent(9)], "").axes]
    assert titles[:3] == ["trial 0", "trial 4", "trial 8"]


def test_the_end_of_a_shorter_trial_is_not_fitted():
    answer = latent(4, n_factors=1)
    truth = answer.truth.copy(deep=True)
    truth["latent"][0, 60:] = np.nan
    said = answer.estimate["latent"].copy()
    said[0, 60:] = 1e3
    assert "R² 1.00" in words(draw(TRACES, [Answer({"latent": said}, truth, "")], ""))


# ---- partition


def test_a_partition_is_compared_whatever_its_groups_are_called():
    figure = draw(PARTITION, [per_unit(["E", "I", "E", "I"], [7, 3, 7, 3], "group", "kind")], "")
    assert "adjusted Rand index 1.00" in words(figure)
    true, said = (np.asarray(axes.images[0].get_array()) for axes in figure.axes)
    assert np.array_equal(true, said)
    assert np.array_equal(true, np.kron(np.eye(2), np.ones((2, 2))))


def test_one_group_for_all_is_worth_nothing():
    text = words(draw(PARTITION, [per_unit([0, 0, 1, 1], [0, 0, 0, 0], "group", "kind")], ""))
    assert "adjusted Rand index 0.00" in text
    assert "true: 2 groups" in text
    assert "answered: 1 group\n" in text


# ---- all of them

SMALLEST = {
    "matrix": (MATRIX, [wiring(1)]),
    "confusion": (CONFUSION, labelled([("a", "a")])),
    "scatter": (SCATTER, [per_unit([1.0], [1.0], "number")]),
    "filters": (FILTERS, [filtered(1, n_lags=1)]),
    "traces": (TRACES, [latent(1, 1)]),
    "partition": (PARTITION, [per_unit(["x"], ["y"], "group", "kind")]),
}


def test_every_drawing_is_tried():
    assert list(SMALLEST) == list(KINDS)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", KINDS)
def test_the_smallest_answer_is_drawn_and_saved_without_a_warning(kind, tmp_path):
    picture, answers = SMALLEST[kind]
    title = "a $name$ that is rather longer than the figure is wide: " * 3
    assert save(draw(picture, answers, title), tmp_path / f"{kind}.png").stat().st_size > 5000


@pytest.mark.parametrize("kind", KINDS)
def test_a_variable_that_is_not_there_is_named(kind):
    _, answers = SMALLEST[kind]
    with pytest.raises(SimlabError, match=f"a {kind} shows absent of the answer, which has only"):
        draw(Picture(kind, "absent", "absent"), answers, "")


@pytest.mark.parametrize("kind", ["matrix", "scatter", "filters", "traces", "partition"])
def test_an_answer_that_does_not_fit_its_truth_is_refused(kind):
    picture, answers = SMALLEST[kind]
    longer = {name: np.concatenate([np.asarray(v)] * 2) for name, v in answers[0].estimate.items()}
    with pytest.raises(SimlabError, match="give them the same dims"):
        draw(picture, [Answer(longer, answers[0].truth, "")], "")


def test_an_unknown_drawing_is_told_those_that_there_are():
    with pytest.raises(SimlabError, match="matrix, confusion, scatter, filters, traces, partition, got 'pie'"):
        draw(Picture("pie", "label", "label"), labelled([("a", "a")]), "")


def test_nothing_to_draw_is_an_error():
    with pytest.raises(SimlabError, match="at least one answer"):
        draw(CONFUSION, [], "")


def test_only_labels_and_numbers_without_dims_are_drawn_over_cells():
    assert [over_cells(p, ()) for p in (CONFUSION, SCATTER, PARTITION)] == [True, True, False]
    assert not over_cells(SCATTER, ("unit",))


# ---- what is left out, and units


def leaving_out(answer: Answer, flag: list[bool], dim: str = "unit") -> Answer:
    truth = answer.truth.assign(unclear=(dim, np.asarray(flag))).assign_attrs(answer.truth.attrs)
    return replace(answer, truth=truth)


@pytest.mark.parametrize(
    ("picture", "answer", "told"),
    [
        (PARTITION, per_unit([0, 0, 1, 1], [0, 0, 1, 0], "group", "kind"), "adjusted Rand index 1.00"),
        (SCATTER, per_unit([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 0.0], "number"), "rank correlation 1.00, n = 3"),
        (CONFUSION, per_unit(["E", "E", "I", "I"], ["E", "E", "I", "E"], "label"), "100% of 3 units right"),
    ],
)
def test_units_that_the_question_leaves_out_are_in_no_drawing(picture, answer, told):
    whole = words(draw(picture, [answer], "t"))
    assert told not in whole
    assert told in words(draw(replace(picture, left_out="unclear"), [leaving_out(answer, [0, 0, 0, 1])], "t"))


def test_filters_and_factors_leave_out_what_is_not_asked_as_well():
    picture = replace(FILTERS, left_out="unclear")
    text = words(draw(picture, [leaving_out(filtered(3), [False, True, False])], "t"))
    assert "unit 0" in text
    assert "unit 2" in text
    assert "unit 1" not in text
    answer = latent(4)
    spoilt = {"latent": np.where(np.arange(4)[:, None, None] == 3, 1e3, answer.estimate["latent"])}
    flagged = leaving_out(replace(answer, estimate=spoilt), [False] * 3 + [True], "trial")
    assert "R² 1.00" not in words(draw(TRACES, [flagged], "t"))
    assert "R² 1.00" in words(draw(replace(TRACES, left_out="unclear"), [flagged], "t"))


def test_an_answer_of_which_all_is_left_out_is_a_clear_error():
    answer = leaving_out(per_unit([0, 1], [0, 1], "group", "kind"), [True, True])
    with pytest.raises(SimlabError, match="leaves nothing of kind"):
        draw(replace(PARTITION, left_out="unclear"), [answer], "t")


def test_the_bars_of_a_matrix_state_their_units():
    answer = wiring(12)
    answer.truth["weight"].attrs["units"] = "V"
    text = words(draw(MATRIX, [answer], "t"))
    assert "weight [V]" in text
    assert "score [the method's scale]" in text
