"""Units without synapses or knowable types: matched to the network in what each does, and in nothing else."""

from functools import cache

import numpy as np
import pytest

import simlab
from circuits.networks.sign_and_type import SignAndType
from circuits.networks.untyped_units import UntypedUnits
from methods.cell_types.correlogram_sign import CorrelogramSign
from simlab import activity_statistics
from simlab.data import mean_rates
from simlab.session import Session
from simlab.streams import stream

LIKE = SignAndType(overlap=0.3)


@cache
def rival():
    return UntypedUnits().imitating(LIKE).subject(stream(1, "subject"))


@cache
def activities():
    """Of the rival and of its twin."""
    return tuple(s.run(Session(8, 5.0), stream(1, "run")) for s in (rival(), LIKE.subject(stream(1, "subject"))))


def test_it_keeps_the_contract():
    assert simlab.check(UntypedUnits(SignAndType(n_neurons=50)), raises=False).ok


def test_rates_and_intervals_are_those_of_the_network_it_imitates():
    mine, theirs = (mean_rates(activity) for activity in activities())
    assert mine.mean() == pytest.approx(theirs.mean(), rel=0.08)
    # counts of 40 s differ by a tenth to a half; those of rates of 10 Hz and more by a twentieth
    assert np.corrcoef(np.log(mine.clip(0.1)), np.log(theirs.clip(0.1)))[0, 1] > 0.95
    cv = [np.nanmean(activity_statistics.interval_cv(activity)) for activity in activities()]
    assert cv[0] == pytest.approx(cv[1], abs=0.06)


def test_types_are_as_many_as_there_and_say_nothing_of_how_neurons_fire():
    label = rival().truth("cell_type", None, stream(0))["label"].values
    assert (label == "I").sum() == (LIKE.cell_types() == "I").sum()
    shares = []
    for seed in range(12):
        drawn = UntypedUnits().subject(stream(seed, "subject"))
        shares.append(drawn.twin.ways.fast[drawn.anatomy["cell_type"].values == "I"].mean())
    assert np.mean(shares) == pytest.approx(0.2, abs=0.1)  # 300 draws of one in five: four standard errors


def test_there_is_no_synapse_and_a_reader_of_signs_finds_none():
    assert not rival().truth("connectivity", None, stream(0))["weight"].values.any()
    correlations = activity_statistics.pairwise_correlations(activities()[0], 0.1)
    assert abs(correlations.mean()) < 0.004  # 7750 pairs of 400 bins: standard error .0006
    heard = activities()[0].rename(neuron="unit", spike_neuron="spike_unit")
    assert set(CorrelogramSign().analyse(heard, stream(0)).estimate["label"]) <= {"?"}
