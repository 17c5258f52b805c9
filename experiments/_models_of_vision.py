"""Candidate models of visual cortex that experiments share, and what is measured on rankings of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from circuits.coding.v1_complex import V1Complex
from circuits.coding.v1_simple import V1Simple
from circuits.coding.visual import Look
from simlab.candidates import Model
from simlab.claims import Answer, Measured, chosen, mean
from simlab.fingerprint import label

if TYPE_CHECKING:
    import pandas as pd

WHITE, NATURAL = Look(), Look(frames="natural")


def called(models: tuple[Model, ...]) -> tuple[str, ...]:
    """Names of the candidates in the order of an answer."""
    return tuple(sorted(model.called for model in models))


def margin(table: pd.DataFrame) -> pd.DataFrame:
    """The table with `margin`: the best right candidate's score less that of the best wrong one."""
    return table.assign(margin=table["right_score"] - table["wrong_score"])


def scores(table: pd.DataFrame, answer: Answer, names: tuple[str, ...], **conditions: Any) -> pd.DataFrame:
    """The chosen rows that hold an answer, with a column of each candidate's score by its name."""
    rows = chosen(table, status="ok", **conditions)
    found = [answer(cell) for cell in rows["cell"]]
    told = [
        np.full(len(names), np.nan) if kept is None or len(kept[0]["score"]) != len(names) else kept[0]["score"]
        for kept in found
    ]
    columns = np.array(told, dtype=float).reshape(len(rows), len(names))
    return rows.assign(**{name: columns[:, k] for k, name in enumerate(names)})


def gap(
    first: str, second: str, names: tuple[str, ...], **conditions: Any
) -> Callable[[pd.DataFrame, Answer], Measured]:
    """A measure on answers: the score of one candidate less that of another."""

    def measure(table: pd.DataFrame, answer: Answer) -> Measured:
        rows = scores(table, answer, names, **conditions)
        return mean(rows.assign(gap=rows[first] - rows[second]), "gap")

    return measure


def ahead(order: tuple[str, ...], names: tuple[str, ...], **conditions: Any) -> Callable[[Any, Answer], Measured]:
    """A measure on answers: how often candidates score in this order, the highest first."""

    def measure(table: pd.DataFrame, answer: Answer) -> Measured:
        rows = scores(table, answer, names, **conditions)
        steps = np.diff(rows[list(order)].to_numpy(), axis=1)
        ordered = np.where(np.isnan(steps).any(axis=1), np.nan, (steps < 0).all(axis=1))
        return mean(rows.assign(ordered=ordered), "ordered")

    return measure


def agreement(
    first: Mapping[str, Any], second: Mapping[str, Any], names: tuple[str, ...], **conditions: Any
) -> Callable[[pd.DataFrame, Answer], Measured]:
    """A measure on answers: the rank correlation over candidates of what two methods say of the same recording."""

    def measure(table: pd.DataFrame, answer: Answer) -> Measured:
        from scipy.stats import rankdata

        keys = ["circuit_label", "subject", "trials", "instrument_label"]
        sides = [scores(table, answer, names, **dict(side), **conditions).set_index(keys) for side in (first, second)]
        both = sides[0].index.intersection(sides[1].index)
        ranks = [rankdata(side.loc[both, list(names)].to_numpy(), axis=1) for side in sides]
        moved = [rank - rank.mean(axis=1, keepdims=True) for rank in ranks]
        size = np.sqrt(np.prod([(part**2).sum(axis=1) for part in moved], axis=0))
        r = np.divide((moved[0] * moved[1]).sum(axis=1), size, out=np.zeros(len(both)), where=size > 0)
        return mean(sides[0].loc[both].reset_index().assign(agreement=r), "agreement")

    return measure


def kinds(n_neurons: int, look: Look = WHITE, **more: Any) -> tuple[V1Simple, V1Complex]:
    """Simple and complex cells, as subjects."""
    return V1Simple(n_neurons=n_neurons, look=look, **more), V1Complex(n_neurons=n_neurons, look=look, **more)


def labels(*circuits: Any) -> tuple[str, ...]:
    """As the ledger calls them."""
    return tuple(map(label, circuits))
