"""The lab's rig on a circuit of areas that are on or off, with the perfect instrument and the ideal stimulator."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import xarray as xr

from simlab.contracts import Budget, Finding
from simlab.data import bare
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.stimulating.ideal import Ideal
from simlab.lab.rig import Rig, Setup, known_of_units, mounted
from simlab.registry import create
from simlab.scoring import Truth, told
from simlab.streams import stream

UNLIMITED = Budget()


class World:
    """One subject of a circuit, its implant, and the truth about a question as its method is told and scored."""

    def __init__(self, circuit: Any, question: str, seed: int = 0) -> None:
        self.subject, self.seed = circuit.subject(stream(seed, "subject")), seed
        self.question = create("questions", question)
        self.implant = Perfect().implant(self.subject.anatomy, stream(seed, "implant"))
        neurons, n_units = self.subject.truth(question, None, stream(seed, "truth")), self.implant.key.sizes["unit"]
        self.truth = Truth(neurons, self.implant.key, told(self.question, (), neurons, n_units))

    @contextmanager
    def rig(self, budget: Budget = UNLIMITED) -> Iterator[Rig]:
        """A rig whose units are the neurons, in their order."""
        anatomy, rng = self.subject.anatomy, stream(self.seed, "run")
        setup = Setup(
            lambda trials, duration: self.subject.session(trials=trials, duration=duration, rng=rng),
            lambda session: bare(self.implant.record(self.subject.run(session, rng), rng)),
            Ideal().install(anatomy, self.implant.key, rng),
            self.implant.key.sizes["unit"],
            tuple(anatomy["region"].values.tolist()),
        )
        known = known_of_units(setup.n_units, {"unit_region": np.arange(setup.n_units)})
        with mounted(setup, known, budget, self.truth.brief) as rig:
            yield rig

    def recording(self, trials: int, duration: float = 1.0) -> xr.Dataset:
        """The natural task as a passive method gets it."""
        rng = stream(self.seed, "natural")
        session = self.subject.session(trials=trials, duration=duration, rng=rng)
        seen = bare(self.implant.record(self.subject.run(session, rng), rng))
        return seen.assign_attrs(brief=dict(self.truth.brief))

    def scored(self, finding: Finding) -> dict[str, float]:
        """The question's metrics."""
        assert not finding.abstained, finding.abstained
        return self.question.score(finding, self.truth.projected(self.question))
