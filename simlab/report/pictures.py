"""How answers look beside their truth: the drawings that questions choose from, whatever their variables are called."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from simlab.contracts import Picture, SimlabError
from simlab.report import label_drawings, matrix_drawing, number_drawings, signal_drawings
from simlab.report.figures import styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure


MOST_LABELS = 8
"""A figure over cells shows the answers of no more labels than this, the first ones."""
CHARACTERS = 13
"""So many of a title fit into an inch."""


@dataclass(frozen=True)
class Answer:
    """One answer and the truth that it is held against.

    estimate: the variables of the question's form. truth: as the question projected it onto the recorded units, its
    brief in `attrs["brief"]`. label: who answered; answers of one label are drawn together.
    """

    estimate: Mapping[str, Any]
    truth: xr.Dataset
    label: str


@styled
def draw(picture: Picture, answers: Sequence[Answer], title: str) -> Figure:
    """The figure of these answers: all of them where the variable is one per cell (`over_cells`), else the first.

    Raises SimlabError where there is no such drawing, no answer, or variables are missing or do not fit each other.
    """
    if picture.kind not in KINDS:
        raise SimlabError(f"a picture is one of {', '.join(KINDS)}, got {picture.kind!r}: name one of these")
    if not answers:
        raise SimlabError(f"a {picture.kind} shows at least one answer, got none: draw it where there are answers")
    for answer in answers:
        _complete(picture, answer)
    figure = KINDS[picture.kind](picture, answers)
    wide = int(figure.get_figwidth() * CHARACTERS)
    figure.suptitle(fill(title, wide), x=0.01, ha="left", fontsize=8.5, fontweight="bold")
    return figure


def over_cells(picture: Picture, dims: tuple[str, ...]) -> bool:
    """Whether one figure shows the answers of many cells: a label or a number without dims."""
    return picture.kind in ("confusion", "scatter") and not dims


def _complete(picture: Picture, answer: Answer) -> None:
    for what, wanted, names in (
        ("answer", (picture.answer, picture.marked), list(answer.estimate)),
        ("truth", (picture.truth, picture.held_against, picture.left_out), list(map(str, answer.truth))),
    ):
        missing = [name for name in wanted if name and name not in names]
        if missing:
            raise SimlabError(
                f"a {picture.kind} shows {', '.join(missing)} of the {what}, which has only {', '.join(names)}: "
                "name variables of the question's forms in its picture"
            )


def _true(picture: Picture, answer: Answer, *first: str) -> xr.DataArray:
    """The true variable with these dims first."""
    truth = answer.truth[picture.truth]
    lacking = [dim for dim in first if dim not in truth.dims]
    if lacking:
        raise SimlabError(
            f"a {picture.kind} needs a truth over ({', '.join(first)}), got {picture.truth} over {truth.dims}: "
            "choose another picture"
        )
    return truth.transpose(*first, ...)


def _said(picture: Picture, answer: Answer, truth: xr.DataArray, agreeing: int | None = None) -> np.ndarray:
    """The answered variable, whose first `agreeing` axes (all of them if None) are as long as the truth's."""
    said = np.asarray(answer.estimate[picture.answer])
    n = truth.ndim if agreeing is None else agreeing
    if said.ndim != truth.ndim or said.shape[:n] != truth.shape[:n]:
        raise SimlabError(
            f"a {picture.kind} holds {picture.answer} against {picture.truth}, but they are {said.shape} and "
            f"{truth.shape}: give them the same dims, in the form's order"
        )
    return said


def _asked(picture: Picture, answer: Answer, truth: xr.DataArray) -> np.ndarray:
    """Which entries of the truth are asked about: those that `left_out` does not flag (bool, shaped as the truth).

    Raises SimlabError where the flag has dims that the truth lacks, or leaves nothing.
    """
    if not picture.left_out:
        return np.ones(truth.shape, dtype=bool)
    flag = answer.truth[picture.left_out]
    if not set(flag.dims) <= set(truth.dims):
        raise SimlabError(
            f"{picture.left_out} must be over dims of {picture.truth}, {truth.dims}, got {flag.dims}: drop the others"
        )
    asked = ~flag.astype(bool).broadcast_like(truth).transpose(*truth.dims).values
    if truth.ndim and not asked.any():
        raise SimlabError(f"{picture.left_out} leaves nothing of {picture.truth} to be shown: choose another answer")
    return np.asarray(asked)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _matrix(picture: Picture, answers: Sequence[Answer]) -> Figure:
    answer = answers[0]
    truth = _true(picture, answer, "pre", "post")
    true, said = truth.values.astype(float), _said(picture, answer, truth).astype(float)
    flags = {
        name: answer.truth[name].transpose("pre", "post").values.astype(bool)
        for name in (picture.held_against, picture.left_out)
        if name
    }
    verdict = None
    if picture.marked:
        verdict = matrix_drawing.Verdict(
            np.asarray(answer.estimate[picture.marked], dtype=bool),
            flags.get(picture.held_against, true != 0),
            ~flags.get(picture.left_out, np.zeros(true.shape, dtype=bool)),
        )
    names = [_words(name) for name in (picture.truth, picture.answer, picture.marked)]
    return matrix_drawing.matrix(true, said, verdict, names, str(truth.attrs.get("units", "")))


def _confusion(picture: Picture, answers: Sequence[Answer]) -> Figure:
    if np.ndim(answers[0].estimate[picture.answer]):
        truth = _true(picture, answers[0], "unit")
        said = _said(picture, answers[0], truth)
        asked = _asked(picture, answers[0], truth)
        groups = {answers[0].label: (_text(truth.values[asked]), _text(said[asked]))}
        return label_drawings.confusion(groups, _listed(picture, answers[:1]), _words(picture.truth), "units")
    asked_of = [a for a in answers if not picture.left_out or not bool(a.truth[picture.left_out])]
    groups = {
        label: (_text([a.truth[picture.truth].item() for a in some]), _text([a.estimate[picture.answer] for a in some]))
        for label, some in _by_label(asked_of).items()
    }
    return label_drawings.confusion(groups, _listed(picture, answers), _words(picture.truth), "answers")


def _text(values: Any) -> list[str]:
    return [str(value) for value in np.asarray(values, dtype=object).ravel()]


def _listed(picture: Picture, answers: Sequence[Answer]) -> list[str]:
    """The labels that the answers chose from, in the order of the brief: any of its lists that holds a true label."""
    found: dict[str, None] = {}
    for answer in answers:
        true = set(_text(answer.truth[picture.truth].values))
        for entry in answer.truth.attrs.get("brief", {}).values():
            if isinstance(entry, tuple | list) and true & set(_text(entry)):
                found |= dict.fromkeys(_text(entry))
    return list(found)


def _by_label(answers: Sequence[Answer]) -> dict[str, list[Answer]]:
    groups: dict[str, list[Answer]] = {}
    for answer in answers:
        groups.setdefault(answer.label, []).append(answer)
    return dict(list(groups.items())[:MOST_LABELS])


def _scatter(picture: Picture, answers: Sequence[Answer]) -> Figure:
    over_units = np.ndim(answers[0].estimate[picture.answer]) > 0
    groups = {}
    for label, some in _by_label(answers[:1] if over_units else answers).items():
        pairs = [_asked_pair(picture, a) for a in some]
        true, said = (np.concatenate([np.ravel(pair[i]) for pair in pairs]).astype(float) for i in (0, 1))
        groups[label] = true, said
    unit = answers[0].truth[picture.truth].attrs.get("units", "")
    names = [f"{who} {_words(name)}" for who, name in (("true", picture.truth), ("answered", picture.answer))]
    return number_drawings.scatter(groups, names, unit, jitter=not over_units)


def _asked_pair(picture: Picture, answer: Answer) -> tuple[np.ndarray, np.ndarray]:
    """What is true and what was answered, of the entries that were asked about."""
    truth = _true(picture, answer)
    asked = _asked(picture, answer, truth)
    return truth.values[asked], _said(picture, answer, truth)[asked]


def _filters(picture: Picture, answers: Sequence[Answer]) -> Figure:
    truth = _true(picture, answers[0], "unit")
    if truth.ndim < 2:
        raise SimlabError(f"filters are over (unit, ...), got {picture.truth} over {truth.dims}: choose scatter")
    said = _said(picture, answers[0], truth).astype(float)
    asked = _asked(picture, answers[0], truth).reshape(len(truth), -1).all(axis=1)
    return signal_drawings.filters(truth[asked].astype(float), said[asked], np.flatnonzero(asked))


def _traces(picture: Picture, answers: Sequence[Answer]) -> Figure:
    truth = _true(picture, answers[0], "trial", "time")
    if truth.ndim != 3:
        raise SimlabError(f"traces are over (trial, time, factor), got {picture.truth} over {truth.dims}: add the dim")
    asked = xr.DataArray(_asked(picture, answers[0], truth), dims=truth.dims)
    said = _said(picture, answers[0], truth, agreeing=2).astype(float)
    return signal_drawings.traces(truth.astype(float).where(asked), said)


def _partition(picture: Picture, answers: Sequence[Answer]) -> Figure:
    truth = _true(picture, answers[0], "unit")
    asked = _asked(picture, answers[0], truth)
    return label_drawings.partition(_text(truth.values[asked]), _text(_said(picture, answers[0], truth)[asked]))


KINDS: Mapping[str, Callable[[Picture, Sequence[Answer]], Figure]] = {
    "matrix": _matrix,
    "confusion": _confusion,
    "scatter": _scatter,
    "filters": _filters,
    "traces": _traces,
    "partition": _partition,
}
"""Every drawing by the name that a question's picture calls it."""
