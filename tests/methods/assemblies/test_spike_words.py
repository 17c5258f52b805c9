"""Groups that fire in the same words are found; independent units are left whole; a clock hides groups."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import simlab
from methods.assemblies._words import pair_excess, pairwise_share, synchronous_excess, synchrony
from methods.assemblies.spike_words import SpikeWords
from simlab.data import recording
from simlab.questions.assemblies import Assemblies

GROUPS = np.repeat([0, 1, 2], 5)
WIDTH, BINS, TRIALS = 20e-3, 250, 20


def seen(words: np.ndarray) -> xr.Dataset:
    """A recording in which units fire once in the middle of each bin where their word (trial, bin, unit) says so."""
    trial, step, unit = np.nonzero(words)
    spikes = trial, (step + 0.5) * WIDTH, unit
    return recording(duration=words.shape[1] * WIDTH, n_units=words.shape[2], n_trials=len(words), spikes=spikes)


def events(which: np.ndarray, rng: np.random.Generator, joined: float = 0.4, chance: float = 0.05) -> np.ndarray:
    """Words of units that fire by themselves, and together with units of the same source `which` (unit,)."""
    n_sources = which.max() + 1
    called = rng.random((TRIALS, BINS, n_sources)) < 0.05
    answers = rng.random((TRIALS, BINS, len(which))) < joined
    return (rng.random(answers.shape) < chance) | (called[:, :, which] & answers)


def answer(words: np.ndarray) -> simlab.Finding:
    return SpikeWords().analyse(seen(words), np.random.default_rng(0))


def rand(found: simlab.Finding) -> float:
    return Assemblies().score(found, xr.Dataset({"group": ("unit", GROUPS)}))["adjusted_rand"]


def test_units_that_answer_the_same_events_are_one_group_each() -> None:
    found = answer(events(GROUPS, np.random.default_rng(1)))
    assert rand(found) == 1.0
    assert found.notes["pairs"] >= 30  # of ten in each group
    assert found.notes["synchronous_excess"] > 2


def test_independent_units_are_left_whole_even_where_they_burst() -> None:
    rng = np.random.default_rng(2)
    alone = rng.random((TRIALS, BINS, 15)) < 0.1
    bursting = alone & (rng.random((TRIALS, 1, 15)) < 0.5)  # silent in half of the trials, each in others
    for words in (alone, bursting):
        found = answer(words)
        # a false pair comes in at most 5% of such recordings: two fixed ones without any are what most would give
        assert len(np.unique(found.estimate["group"])) == 1
    assert answer(alone).notes["synchronous_excess"] < 2
    assert answer(alone).notes["pairwise_share"] < 0.2  # the rest is what too few words make of 1024 states


def test_a_clock_that_all_follow_hides_the_groups() -> None:
    rng = np.random.default_rng(3)
    beat = (np.arange(BINS) % 5 == 0)[None, :, None]
    clocked = events(GROUPS, rng, joined=0.15) | (beat & (rng.random((TRIALS, BINS, 15)) < 0.9))
    assert rand(answer(clocked)) < 0.5
    assert rand(answer(events(GROUPS, rng, joined=0.4))) > 0.9


def test_silent_units_stand_alone_and_few_words_are_abstained_on() -> None:
    words = events(GROUPS, np.random.default_rng(4))
    words[:, :, 0] = False
    group = answer(words).estimate["group"]
    assert (group == group[0]).sum() == 1
    assert "20 words of" in answer(words[:2, :10]).abstained
    assert "words of 2 units" in answer(words[:, :, :3] & (np.arange(3) > 0)).abstained
    short = recording(duration=0.03, n_units=3, n_trials=1, spikes=(np.zeros(1, int), np.zeros(1), np.zeros(1, int)))
    assert "fewer than 2 words" in SpikeWords().analyse(short, np.random.default_rng(0)).abstained
    rates = recording(
        duration=1.0, n_units=3, n_trials=1, signal=np.zeros((1, 10, 3)), modality="rate", signal_units="Hz",
        sample_time=np.arange(10) / 10,
    )  # fmt: skip
    assert "needs spikes" in SpikeWords().analyse(rates, np.random.default_rng(0)).abstained


def test_phi_is_the_correlation_of_words_and_t_that_of_blocks() -> None:
    rng = np.random.default_rng(5)
    words = events(GROUPS, rng).reshape(-1, 15).astype(float)
    block = np.repeat(np.arange(TRIALS), BINS)
    phi, t = pair_excess(words, block)
    assert phi + np.eye(15) == pytest.approx(np.corrcoef(words.T))
    part = np.array([((words - words.mean(0))[block == b].T @ (words - words.mean(0))[block == b]) for b in range(20)])
    assert t[0, 1] == pytest.approx(part[:, 0, 1].mean() / (part[:, 0, 1].std(ddof=1) / np.sqrt(20)))


def test_synchrony_and_pairwise_information_are_those_of_worlds_that_are_known() -> None:
    rng = np.random.default_rng(6)
    alone = rng.random((20_000, 3)) < 0.5
    observed, independent = synchrony(alone.astype(float))
    assert independent == pytest.approx([1 / 8, 3 / 8, 3 / 8, 1 / 8], abs=0.01)
    assert observed == pytest.approx(independent, abs=0.015)
    assert synchronous_excess(np.repeat(alone[:, :1], 10, axis=1).astype(float)) == pytest.approx(512, rel=0.1)
    odd = np.column_stack([alone[:, :2], alone[:, 0] ^ alone[:, 1]])
    assert pairwise_share(odd) < 0.01  # of a parity, pairs know nothing
    chain = np.column_stack([alone[:, 0], alone[:, 0] ^ (rng.random(20_000) < 0.1), alone[:, 2]])
    assert pairwise_share(chain) > 0.99
