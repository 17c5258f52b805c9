"""Candidate models of a subject: circuits that are shown what it was shown, and what they do there.

A question with `models` (tuple of `Model`) has the lab put their responses beside every recording of the subject: a
method may then ask which of them it is, and never meets the circuits themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import xarray as xr

from simlab.data import bin_signal, bin_spikes, is_spiking
from simlab.errors import SimlabError
from simlab.naming import name_of
from simlab.rules import Within, check_fields, require
from simlab.session import Session

MOST_VALUES = 2e8
"""Responses of all models in one session: 800 MB."""


@dataclass(frozen=True)
class Model:
    """A candidate: a circuit, under a name of its own, of which so many individuals are shown the same.

    Individuals are the same whatever subject they are held against, as a model of the brain is one for all animals. A
    subject of the circuit may have `expected(session, rng)`, an Activity whose `rate` is what it does but for noise;
    otherwise it is run.
    """

    circuit: Any
    name: str = ""  # the circuit's, if it is empty
    individuals: Annotated[int, Within(1, 1000)] = 1

    def __post_init__(self) -> None:
        require(
            callable(getattr(self.circuit, "subject", None)) and not isinstance(self.circuit, type),
            f"a model is made of a circuit, got {self.circuit!r}: give an instance of one",
        )
        check_fields(self)

    @property
    def called(self) -> str:
        """Its name among the candidates."""
        return self.name or name_of(self.circuit)


def check_models(models: tuple[Model, ...]) -> None:
    """Raises SimlabError unless these are models with names of their own."""
    strange = [model for model in models if not isinstance(model, Model)]
    require(not strange, f"models must each be a simlab.Model, got {strange[:1]}: write Model(circuit)")
    called = [model.called for model in models]
    twice = sorted({name for name in called if called.count(name) > 1})
    require(not twice, f"models must have names of their own, got {', '.join(twice)} twice: name one of them")


def responses(
    models: Mapping[int, Model],
    individual: Callable[[Model, int], Any],
    session: Session,
    rng: np.random.Generator,
    step: float,
) -> dict[str, Any]:
    """What models do in a session, in bins of `step` [s]: the variables `model_...` of a Recording.

    models: by their place among the candidates. individual: makes or finds one of a model's subjects. A model that
    refuses the session with a SimlabError (it cannot see such a stimulus) is left out.
    """
    blocks, owners = [], []
    for place, model in models.items():
        for number in range(model.individuals):
            try:
                block = _binned(_expected(individual(model, number), session, rng), step)
            except SimlabError:
                break
            blocks.append(block)
            owners += [(place, number)] * block.shape[2]
            total = sum(part.size for part in blocks)
            require(
                total <= MOST_VALUES,
                f"models respond with {MOST_VALUES:g} values at most, got {total:g}: take fewer, or a longer step",
            )
    bins = min((block.shape[1] for block in blocks), default=0)
    shape = (session.trials, bins, 0)
    joined = np.concatenate([block[:, :bins] for block in blocks], axis=2) if blocks else np.zeros(shape, np.float32)
    whose, which = np.array(owners, dtype=np.int32).reshape(-1, 2).T
    return {
        "model_response": joined,
        "model_time": np.arange(bins) * step,
        "model": whose,
        "model_individual": which,
    }


def _expected(subject: Any, session: Session, rng: np.random.Generator) -> xr.Dataset:
    expected = getattr(subject, "expected", None)
    found: xr.Dataset = (expected or subject.run)(session, rng)
    return found


def _binned(activity: xr.Dataset, step: float) -> np.ndarray:
    """(trial, bin, neuron) float32: mean rates, or spikes per second, in bins of `step` [s]."""
    if "rate" not in activity and is_spiking(activity):
        return np.asarray(bin_spikes(activity, step).values / step, dtype=np.float32)
    mean = bin_signal(activity, step).astype(np.float32)
    # Rates that are told less often stay until they are told again.
    known = np.isfinite(mean).any(axis=(0, 2)).reshape(-1)
    return mean[:, np.maximum.accumulate(np.where(known, np.arange(len(known)), 0))]
