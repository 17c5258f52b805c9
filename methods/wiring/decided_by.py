"""Decided by: any connectivity method's scores with another rule of decision."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from methods.wiring._decision_rules import ByEffectSize, ByLocalFDR, ByStability, BySurrogates, Rule
from methods.wiring.cross_correlogram import CrossCorrelogram
from simlab.contracts import Finding, Needs, SimlabError
from simlab.rules import check_fields, require

__all__ = ["ByEffectSize", "ByLocalFDR", "ByStability", "BySurrogates", "DecidedBy", "Rule"]

METHOD = ("analyse", "question", "family", "library", "needs")


@dataclass(frozen=True)
class DecidedBy:
    """A method says who may be connected to whom, and a `rule` which of these pairs are: `BySurrogates` (as in the
    default), `ByEffectSize`, `ByStability` or `ByLocalFDR`, each with its source there.

    A method's own test is right where its model is; where data are long, or a model is wrong for all pairs alike, its
    ranking may be good and its p-values too small. Family, library and needs are the method's. Abstains where the
    method does, or where the rule cannot work on the recording. Cost: as many runs of the method as the rule has
    surrogates (20), groups (10) or halves (50); none for the local rate.

    Raises SimlabError for what is no rule, or no passive method of connectivity.
    """

    name: ClassVar[str] = "decided_by"
    # of the default; an instance has those of its method
    question: ClassVar[str] = "connectivity"
    family: ClassVar[str] = CrossCorrelogram.family
    library: ClassVar[str] = CrossCorrelogram.library
    needs: ClassVar[Needs] = CrossCorrelogram.needs

    method: Any = field(default_factory=CrossCorrelogram)
    """The method that ranks pairs."""
    rule: Any = field(default_factory=BySurrogates)
    """The rule that decides."""

    def __post_init__(self) -> None:
        require(not isinstance(self.method, type), f"method must be an instance, got {self.method!r}: write it with ()")
        require(not isinstance(self.rule, type), f"rule must be an instance, got {self.rule!r}: write it with ()")
        if lacking := [part for part in METHOD if not hasattr(self.method, part)]:
            raise SimlabError(f"method must be a passive one, got {self.method!r} without {', '.join(lacking)}")
        require(
            self.method.question == self.question,
            f"method must be one of connectivity, got {self.method!r}, which answers {self.method.question}",
        )
        require(
            callable(getattr(self.rule, "decide", None)),
            f"rule must be one of decided_by's (BySurrogates() ...), got {self.rule!r} without decide",
        )
        check_fields(self.method)
        check_fields(self.rule)
        for name in ("family", "library", "needs"):
            object.__setattr__(self, name, getattr(self.method, name))

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The method's finding with the rule's decision; abstains where either cannot answer."""
        finding = self.method.analyse(recording, rng)
        if finding.abstained:
            return Finding.abstain(finding.abstained)
        decided = self.rule.decide(self.method, recording, finding, rng)
        return Finding.abstain(f"{self.rule.name}: {decided.abstained}") if decided.abstained else decided

    def at_resolution(self, interval: float) -> DecidedBy:
        """The same with its method told how finely spike times are known [s]."""
        coarser = getattr(self.method, "at_resolution", None)
        return DecidedBy(self.method if coarser is None else coarser(interval), self.rule)
