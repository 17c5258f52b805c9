"""Any method on anybody's recording, as the lab runs it: needs first, then the method, then its answer's form."""

from __future__ import annotations

from typing import Any

import xarray as xr

from simlab.contracts import Finding, Needs, SimlabError
from simlab.data import check_recording, missing
from simlab.execution.execute import execute
from simlab.registry import create
from simlab.streams import digest_int

UNLIMITED = 1e6
"""Seconds, and bytes by the thousand million: your own analysis is bound by your own patience."""


def analyse(method: Any, recording: xr.Dataset, *, seed: int | str = 0, question: Any = None) -> Finding:
    """The finding of a passive method (a name or an object) on a Recording, an abstention where its needs are not met.

    Raises SimlabError where the recording is none, or the method fails or breaks its question's form.
    """
    analysis = create("methods", method) if isinstance(method, str) else method
    check_recording(recording)
    if reason := missing(recording, getattr(analysis, "needs", Needs())):
        return Finding.abstain(reason)
    outcome = execute(
        analysis,
        recording.copy(deep=True),
        question=question,
        entropy=digest_int(seed, "analyse", analysis.name),
        time_limit=UNLIMITED,
        memory_limit=int(UNLIMITED) * 10**9,
    )
    if outcome.finding is None:
        raise SimlabError(f"{analysis.name} gave no finding: {outcome.error}\n{outcome.traceback}".rstrip())
    return outcome.finding
