"""Shared by the mechanism methods: which candidate stands for an attractor here, and findings with or without NONE."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from methods.population._population import two_label_finding
from simlab.contracts import Finding

ATTRACTORS = ("ring attractor", "line attractor")
"""Mechanisms that a method may call an attractor; a brief has one of them at most."""

RIVALS = ("feedforward", "external memory")
"""Mechanisms that are passively like one, and have no synapses."""

NONE = "none of these"


def listed(brief: Mapping[str, Any], names: tuple[str, ...]) -> str:
    """The first of these names that is a candidate; the first of them where none is."""
    candidates = tuple(str(name) for name in brief.get("candidates", ()))
    return next((name for name in names if name in candidates), names[0])


def attractor_finding(brief: Mapping[str, Any], probability: float, notes: dict[str, object]) -> Finding:
    """The verdict of a test for an attractor, with this probability, and for its rival without."""
    return two_label_finding(brief, listed(brief, ATTRACTORS), listed(brief, RIVALS), probability, notes)


def none_finding(brief: Mapping[str, Any], probability: float, why: str, notes: dict[str, object]) -> Finding:
    """`NONE` with this probability, the others sharing the rest; an abstention where NONE is no candidate."""
    candidates = tuple(str(name) for name in brief.get("candidates", ()))
    if NONE not in candidates:
        return Finding.abstain(f"{why}: no candidate fits, and the list ends without 'none of these'")
    rest = (1 - probability) / max(len(candidates) - 1, 1)
    shares = np.array([probability if name == NONE else rest for name in candidates])
    return Finding({"label": NONE, "probability": shares}, confidence=probability, notes={"gate": why, **notes})
