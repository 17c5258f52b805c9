"""Whatever is recorded, every method of connectivity answers within the question's form, or says why it abstains."""

from __future__ import annotations

import dataclasses
import time
import warnings
from functools import cache
from importlib.util import find_spec

import numpy as np
import pytest
from nasty_recordings import SIGNALS, SPIKES

import simlab
from simlab import registry
from simlab.contracts import Needs, SimlabError

LIMIT = 5.0
"""Seconds of processor time that a method may take on any of them: the largest holds 2700 spikes."""

METHODS = tuple(
    name
    for name in registry.names("methods")
    if registry.get("methods", name).question == "connectivity" and hasattr(registry.get("methods", name), "analyse")
)
USUAL = ("spikes", "fluorescence", "rate")
"""A method of something else may find nothing in these signals that it can use."""
OPTIONAL = {"pcmci": "tigramite"}
"""Methods whose library nobody need have: without it they abstain from everything, with a reason."""
FEWER = {"surrogates": 3, "subsamples": 2, "trees": 4, "null_size": 1}
"""Repetitions that only make an answer finer, of any method that has them: the time is for more recordings."""


def made(name: str):
    """The method, with as few repetitions as will do."""
    method = registry.create("methods", name)
    here = {field.name for field in dataclasses.fields(method)}
    return dataclasses.replace(method, **{key: value for key, value in FEWER.items() if key in here})


def modalities(name: str) -> tuple[str, ...]:
    """Spikes, and one kind of signal: nothing but its name tells it from another."""
    wanted = getattr(registry.get("methods", name), "needs", Needs()).modalities or ("spikes", "fluorescence")
    continuous = [m for m in wanted if m != "spikes"]
    return (*(["spikes"] if "spikes" in wanted else []), *continuous[:1])


@cache
def worlds(modality: str) -> dict:
    if modality == "spikes":
        return {what: make() for what, make in SPIKES.items()}
    return {what: make(modality) for what, make in SIGNALS.items()}


def broken(method, world, answered: list) -> str:
    """What is wrong with the method's conduct on a recording, or nothing; an answer is added to `answered`."""
    begun = time.process_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            finding = simlab.analyse(method, world)
    except SimlabError as error:
        return f"raises {str(error).strip().splitlines()[0]}"
    spent = time.process_time() - begun
    if spent > LIMIT:
        return f"takes {spent:.1f} s"
    if finding.abstained:
        return "" if len(finding.abstained) > 8 else f"abstains without a reason: {finding.abstained!r}"
    answered.append(finding)
    p = finding.estimate.get("p", np.zeros(1))
    if finding.estimate["decided"].any() and not np.ptp(finding.estimate["score"]) > 0:
        return "decides edges on equal scores"
    return "" if ((p >= 0) & (p <= 1)).all() else "gives p-values outside of 0..1"


CASES = [pytest.param(name, modality, id=f"{name}-{modality}") for name in METHODS for modality in modalities(name)]


@pytest.mark.parametrize(("name", "modality"), CASES)
def test_a_nasty_recording_is_answered_in_form_or_with_a_reason(name, modality):
    method, answered = made(name), []
    complaints = {what: broken(method, world, answered) for what, world in worlds(modality).items()}
    assert {what: complaint for what, complaint in complaints.items() if complaint} == {}
    absent = name in OPTIONAL and find_spec(OPTIONAL[name]) is None
    assert len(answered) >= 3 or modality not in USUAL or absent  # to abstain from everything would be too easy


def test_every_method_of_connectivity_meets_some_of_them():
    assert {case.values[0] for case in CASES} == set(METHODS)
    assert len(METHODS) >= 18
