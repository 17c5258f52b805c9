"""The check's worlds without wiring, and what it says of methods that keep to their p-values and that do not."""

from __future__ import annotations

import numpy as np
import pytest

from simlab import activity_statistics as measures
from simlab.checks.nulls import KINDS, N_UNITS, WORLDS, check_null, null_recording
from simlab.contracts import Finding, SimlabError
from simlab.data import bin_spikes


def claiming(share: float):
    """A method of which this share of p-values is at or below 0.05, whatever it sees."""
    off = np.flatnonzero(~np.eye(N_UNITS, dtype=bool).ravel())

    def analyse(recording) -> Finding:
        p = np.ones(N_UNITS**2)
        p[off[: round(share * len(off))]] = 0.05
        return Finding({"p": p.reshape(N_UNITS, N_UNITS)})

    return analyse


def test_the_worlds_are_what_they_are_called_and_units_know_nothing_of_one_another() -> None:
    cv = {kind: np.nanmean([measures.interval_cv(null_recording(kind, i)) for i in range(WORLDS)]) for kind in KINDS}
    assert cv["poisson"] == pytest.approx(1, abs=0.1)
    assert cv["bursts"] > 1.3
    over_trials = {
        kind: np.mean([bin_spikes(null_recording(kind, i), 2.0).values[:, 0].var(0).mean() for i in range(WORLDS)])
        for kind in KINDS
    }
    assert over_trials["drift"] > 2 * over_trials["poisson"]
    for kind in KINDS:
        pairs = np.concatenate([measures.pairwise_correlations(null_recording(kind, i), 0.02) for i in range(WORLDS)])
        assert abs(pairs.mean()) < 0.02
        assert not null_recording(kind, 0).identical(null_recording(kind, 1))


def test_p_values_that_are_none_fail_and_others_are_told() -> None:
    assert check_null("poisson", claiming(0.1)) == "10% of p-values at or below 0.05 among independent Poisson units"
    with pytest.raises(SimlabError, match="where 5% are promised"):
        check_null("poisson", claiming(0.3))
    assert check_null("bursts", claiming(0.3)).startswith("30% of p-values")
    assert check_null("drift", lambda recording: Finding.abstain("no")) == "states no p-values there"
