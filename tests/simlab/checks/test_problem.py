"""The practice rig answers perturbations as its little circuit would: unit 0 drives unit 1."""

import numpy as np
import pytest

from simlab.checks.problem import LAG, PracticeRig
from simlab.contracts import Budget, SimlabError
from simlab.session import Perturbation


def record(*perturbations):
    rig = PracticeRig((), Budget())
    return rig.record(rig.session(trials=20, duration=2.0).perturbed(*perturbations))


def followers(recording):
    """How many spikes of unit 1 come just LAG after one of unit 0 in the same trial, and how many it fires at all."""
    trial, time, unit = (recording[f"spike_{name}"].values for name in ("trial", "time", "unit"))
    causes = {(t, round(w + LAG, 9)) for t, w in zip(trial[unit == 0], time[unit == 0], strict=True)}
    mine = [(t, round(w, 9)) for t, w in zip(trial[unit == 1], time[unit == 1], strict=True)]
    return sum(spike in causes for spike in mine), len(mine)


@pytest.mark.parametrize("aimed", [{"targets": (0,)}, {"targets": (), "region": "region 0"}])
def test_a_cut_takes_the_spikes_that_its_target_causes_and_no_others(aimed):
    before = followers(record())
    cut = Perturbation("cut", strength=1.0, start=0.0, stop=2.0, **aimed)
    after = followers(record(cut))
    assert before[0] > 100
    assert after == (0, before[1] - before[0])
    assert followers(record(Perturbation("cut", (1,), 1.0, 0.0, 2.0))) == before


def test_a_whole_region_is_silenced_and_an_unknown_one_refused():
    silenced = record(Perturbation("silence", (), 1.0, 0.5, 1.0, region="region 0"))
    inside = (silenced["spike_time"].values >= 0.5) & (silenced["spike_time"].values < 1.0)
    assert not np.any(inside)
    assert silenced.sizes["spike"] > 0
    with pytest.raises(SimlabError, match="region 0, got 'tectum'"):
        record(Perturbation("silence", (), 1.0, 0.5, 1.0, region="tectum"))


@pytest.mark.parametrize(
    ("kind", "strength", "factor"),
    [("drug", 1.0, 0.0), ("cool", 10.0, 0.5), ("edit", 0.0, 0.0), ("edit", 2.0, 2.0), ("lesion", 1.0, 0.0)],
)
def test_what_changes_synapses_changes_the_share_of_spikes_that_are_caused(kind, strength, factor):
    """Of about 400 spikes of unit 0 half cause one: 200, with a standard deviation of 10 and of 10 more afterwards."""
    before, after = followers(record()), followers(record(Perturbation(kind, (0,), strength, 0.0, 2.0)))
    if kind == "lesion":  # of whose spikes none is left to tell which were caused
        assert after == (0, before[1] - before[0])
    else:
        assert abs(after[0] - factor * before[0]) < 60 * (factor > 0) + 1e-9
    elsewhere = Perturbation("edit", (0,), 0.0, 0.0, 2.0, onto=(2,))
    assert followers(record(elsewhere)) == before
