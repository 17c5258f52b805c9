"""What the limits share: a circuit inside another, and subjects that pass on what they do not change."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from simlab.contracts import Circuit, Subject
from simlab.session import Session


class Limit:
    """A circuit that is another one (`of`) under a limit; what it does not say is as there.

    No base class of the house: the three limits are written here once instead of three times.
    """

    of: Circuit

    @property
    def mechanism(self) -> str:
        """That of the circuit inside: a limit changes what can be seen of it, not what it is."""
        return self.of.mechanism

    @property
    def questions(self) -> tuple[str, ...]:
        """Those of the circuit inside."""
        return self.of.questions

    @property
    def modalities(self) -> tuple[str, ...]:
        """Those of the circuit inside."""
        return getattr(self.of, "modalities", ("spikes",))


@dataclass(frozen=True, eq=False)
class LimitedSubject:
    """An animal that is another one as long as nothing is overridden."""

    inner: Subject

    @property
    def anatomy(self) -> xr.Dataset:
        """As without the limit."""
        return self.inner.anatomy

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """As without the limit."""
        return self.inner.session(trials=trials, duration=duration, rng=rng)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """As without the limit."""
        return self.inner.run(session, rng)

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """As without the limit: it is the rested animal, under all its stimuli, that is asked about."""
        return self.inner.truth(question, activity, rng)
