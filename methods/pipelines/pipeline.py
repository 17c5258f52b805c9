"""Pipeline: preprocessing in front of a method. It is itself a method."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from methods.pipelines._steps import Step, Unusable
from methods.pipelines.deconvolution import Deconvolution
from methods.wiring.coupling_glm import CouplingGLM
from simlab.contracts import Finding, Needs, SimlabError
from simlab.data import missing
from simlab.rules import check_fields, require

STEP = ("name", "library", "apply", "before")
METHOD = ("analyse", "question", "family", "library", "needs")


@dataclass(frozen=True)
class Pipeline:
    """A recording goes through `steps` in their order, and then to `method`, which answers.

    Question, family, library and needs follow from the parts: the needs are what the first step must be given for the
    last to give what the method needs. Where spike times are known to some `resolution` only, a method that has
    `at_resolution(interval)` is told so. Steps that drop units put them back into the answer.

    Raises SimlabError for parts that are no steps or no method, or that do not fit one another.
    """

    name: ClassVar[str] = "pipeline"
    # of the default; an instance has those of its parts
    question: ClassVar[str] = CouplingGLM.question
    family: ClassVar[str] = CouplingGLM.family
    library: ClassVar[str] = Deconvolution.library
    needs: ClassVar[Needs] = Deconvolution().before(CouplingGLM.needs)

    steps: tuple[Step, ...] = (Deconvolution(),)
    """Preprocessing, first to last."""
    method: Any = field(default_factory=CouplingGLM)
    """The method that gets the result."""

    def __post_init__(self) -> None:
        check_fields(self)
        require(not isinstance(self.method, type), f"method must be an instance, got {self.method!r}: write it with ()")
        if lacking := [part for part in METHOD if not hasattr(self.method, part)]:
            raise SimlabError(f"method must be a passive one, got {self.method!r} without {', '.join(lacking)}")
        for step in self.steps:
            if lacking := [part for part in STEP if not hasattr(step, part)]:
                raise SimlabError(
                    f"steps must have {', '.join(STEP)}, got {self.steps!r}: {step!r} is without {', '.join(lacking)}"
                )
        for part in (*self.steps, self.method):
            check_fields(part)
        needs = self.method.needs
        for step in reversed(self.steps):
            needs = step.before(needs)
        derived = {"question": self.method.question, "family": self.method.family, "needs": needs}
        for name, value in {**derived, "library": self._libraries()}.items():
            object.__setattr__(self, name, value)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The method's finding on what the steps make of the recording; abstains where a step cannot work on it, or
        where the result lacks what the method needs."""
        stages = [recording]
        for step in self.steps:
            try:
                stages.append(step.apply(stages[-1], rng))
            except Unusable as problem:
                return Finding.abstain(f"{step.name}: {problem}")
        if reason := missing(stages[-1], self.method.needs):
            return Finding.abstain(f"{reason} (behind {', '.join(step.name for step in self.steps) or 'no step'})")
        finding = self._informed(stages[-1]).analyse(stages[-1], rng)
        for step, before in zip(reversed(self.steps), reversed(stages[:-1]), strict=True):
            if restore := getattr(step, "restore", None):
                finding = restore(finding, before)
        return finding

    def _informed(self, recording: xr.Dataset) -> Any:
        """The method, told how finely spike times are known."""
        coarser = getattr(self.method, "at_resolution", None)
        interval = float(recording.attrs.get("resolution", 0.0))
        return coarser(interval) if coarser is not None and interval > 0 else self.method

    def _libraries(self) -> str:
        """The distributions whose code runs, each once; `own` where none does."""
        every = [name for part in (*self.steps, self.method) for name in part.library.split(", ")]
        return ", ".join(dict.fromkeys(name for name in every if name != "own")) or "own"
