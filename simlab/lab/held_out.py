"""Interventions that a question holds out: a method is to predict them, so no rig does them, in whatever disguise.

A brief lists them as `interventions`, each the units that are silenced together. A trial gives one away where it treats
just these units, by any kind of perturbation, or these and others in different ways: a second one that is as good as
nothing (strength 0, an instant), or that undoes what was done to the others, would leave the held-out set by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import xarray as xr

from simlab.contracts import SimlabError
from simlab.lab.regions import told
from simlab.perturbations import Perturbation
from simlab.rules.received import shown
from simlab.session import Session

HELD_OUT = "interventions"
"""The entry of a brief that lists them."""

Treatments = Mapping[int, Counter]
"""What is done to each unit that anything is done to: each perturbation, and how often."""


def check_held_out(session: Session, brief: Mapping[str, Any], units: xr.Dataset) -> None:
    """Raises SimlabError where a trial of a session would do one of the interventions that the brief holds out.

    units: what is known of each; a perturbation of a region is one of all units that lie there.
    """
    held_out = [frozenset(one) for one in brief.get(HELD_OUT, ())]
    if not held_out or not session.perturbations:
        return
    intents = [p for p in session.perturbations if isinstance(p, Perturbation)]
    for done in _each_trial(session, intents):
        treated = _treatments(done, units)
        alike = len({frozenset(how.items()) for how in treated.values()}) == 1
        for one in held_out:
            if one <= treated.keys() and (one == treated.keys() or not alike):
                raise SimlabError(
                    "the question holds out the interventions of its brief, got a trial on which something is done to "
                    f"units {shown(sorted(treated))}, which would show what silencing {shown(sorted(one))} does: do "
                    "something else, or the same to all units of a larger set"
                )


def _each_trial(session: Session, intents: Iterable[Perturbation]) -> Iterable[tuple[Perturbation, ...]]:
    """What is done on each trial, each different lot of perturbations once."""
    lots: dict[int, list[int]] = {trial: [] for trial in range(session.trials)}
    intents = list(intents)
    for number, perturbation in enumerate(intents):
        for trial in range(session.trials) if perturbation.trials is None else perturbation.trials:
            lots[trial].append(number)
    return [tuple(intents[number] for number in lot) for lot in {tuple(lot) for lot in lots.values()}]


def _treatments(done: Iterable[Perturbation], units: xr.Dataset) -> Treatments:
    treated: dict[int, Counter] = {}
    for p in done:
        how = (p.kind, p.strength, p.start, p.stop, tuple(sorted(set(p.onto))))
        for unit in _aimed_at(p, units):
            treated.setdefault(unit, Counter())[how] += 1
    return treated


def _aimed_at(perturbation: Perturbation, units: xr.Dataset) -> set[int]:
    """The units that are meant; without numbers of regions there is but one region, with all of them."""
    if not perturbation.region:
        return set(perturbation.targets)
    if "unit_region" not in units:
        return set(range(units.sizes["unit"]))
    return {unit for unit, code in enumerate(units["unit_region"].values) if told(int(code)) == perturbation.region}
