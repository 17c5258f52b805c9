"""Descriptions are plain JSON, hashes tell parameters apart, labels name what was changed."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pytest
from toys import LagCorrelation, ToyChain

from simlab.contracts import SimlabError
from simlab.fingerprint import describe, fingerprint, label


def test_a_dataclass_is_described_by_name_and_parameters():
    described = describe(ToyChain(rate=20.0))
    assert described["name"] == "toy_chain"
    assert described["parameters"] == {"n_neurons": 6, "rate": 20.0, "coupling": 0.5}
    assert json.loads(json.dumps(described)) == described


def test_fingerprints_tell_parameters_types_and_arrays_apart():
    values = [
        ToyChain(),
        ToyChain(rate=20.0),
        LagCorrelation(),
        np.zeros(3),
        np.zeros(4),
        np.zeros(3, int),
        1,
        1.5,
        "1",
    ]
    assert len({fingerprint(value) for value in values}) == len(values)
    assert fingerprint(ToyChain()) == fingerprint(ToyChain(rate=10.0))


def test_a_label_names_only_what_differs_from_the_default():
    assert label(ToyChain()) == "toy_chain"
    assert label(ToyChain(rate=20.0)) == "toy_chain(rate=20)"


def test_what_cannot_be_described_is_refused():
    @dataclass(frozen=True)
    class Odd:
        part: object = object.__new__(type("Slotted", (), {"__slots__": ()}))

    with pytest.raises(SimlabError, match="must be numbers, strings"):
        fingerprint(Odd())
