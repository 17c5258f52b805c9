"""Published results about wiring at reduced size: few subjects, smaller networks, the papers' bands where they bind."""

from __future__ import annotations

from dataclasses import replace

import pytest

import simlab
from experiments import _published_signals as signals
from experiments import null_certificate, wiring_and_confounds
from experiments import published_connectivity as published
from simlab.claims import null_errors
from simlab.experiment import Plan


@pytest.fixture(scope="module")
def textbooks(tmp_path_factory):
    """Rate networks of 6 and 25 neurons, the chain, and the ring at three strengths; three subjects each."""
    rates = replace(signals.RATES, circuits=signals.TEXTBOOK[:2])
    rings = replace(
        published.RING, circuits=published.RINGS[1::2] + published.RINGS[:1], methods=published.ESTIMATORS[1:]
    )
    spec = replace(published.PUBLISHED_CONNECTIVITY, grids=(rates, signals.CHAIN, rings), subjects=3)
    return simlab.run(spec, out=tmp_path_factory.mktemp("published") / "run", progress=False)


def measured(results, name: str) -> float:
    return next(found.measured.value for found in results.claims() if found.claim.name == name)


def test_nothing_fails(textbooks) -> None:
    assert set(textbooks.table["status"]) == {"ok"}


def test_lagged_correlation_of_small_textbook_networks_is_as_published(textbooks) -> None:
    assert measured(textbooks, "lagged_correlation_of_6") == pytest.approx(0.95, abs=0.05)
    assert measured(textbooks, "lagged_correlation_of_25") == pytest.approx(0.76, abs=0.08)


def test_half_the_sampling_rate_turns_granger_causality_around(textbooks) -> None:
    assert measured(textbooks, "spurious_causality_at_half_the_rate") > 0
    assert measured(textbooks, "no_spurious_causality_at_full_rate") < -0.5


@pytest.mark.parametrize("method", published.ESTIMATORS[1:], ids=lambda method: method.name)
def test_strong_coupling_misleads_where_middling_coupling_does_not(textbooks, method) -> None:
    error = {s: published.profile_error(textbooks.table, method, s).value for s in (0.001, 0.005, 0.025)}
    assert error[0.005] < 0.6 * error[0.001]  # too little drive to see anything
    assert error[0.005] < 0.8 * error[0.025]  # patterns of the network's own


def test_null_worlds_are_met_and_some_methods_keep_their_word_in_all(tmp_path) -> None:
    grid = replace(
        null_certificate.ALL,
        plans=(Plan(20, 2.0),),
        instruments=null_certificate.ALL.instruments[:1],
        methods=(*null_certificate.METHODS[:2], null_certificate.GLMCC()),
    )
    results = simlab.run(
        replace(null_certificate.NULL_CERTIFICATE, grids=(grid,), subjects=3), out=tmp_path / "run", progress=False
    )
    lines = null_errors(results.table)
    assert len(lines) == 3 * len(null_certificate.NULLS)
    calm = lines[lines["method_label"].isin(["spike_count_correlation", "partial_correlation"])]
    assert (calm["p_below_05"] < 0.15).all()
    assert measured(results, "glmcc_is_calibrated") == pytest.approx(
        lines.query("method_label == 'glmcc'").p_below_05.max()
    )


def test_shared_drive_makes_correlation_claim_what_is_not_there(tmp_path) -> None:
    worlds = wiring_and_confounds.WORLDS[0], wiring_and_confounds.WORLDS[-1]
    grid = replace(
        wiring_and_confounds.CONFOUNDS,
        circuits=worlds,
        rivals=(),
        methods=wiring_and_confounds.QUICK[:4],
        plans=(Plan(12, 10.0),),
    )
    spec = replace(wiring_and_confounds.WIRING_AND_CONFOUNDS, grids=(grid,), subjects=2)
    table = simlab.run(spec, out=tmp_path / "run", progress=False).table
    found = table[table["kind"] == "passive"].pivot_table(index="method", columns="circuit_label", values="n_false")
    calm, shared = (wiring_and_confounds.WORLD[amount] for amount in (0.0, 0.2))
    assert found.loc["spike_count_correlation", shared] > found.loc["spike_count_correlation", calm] + 5
    assert found.loc["cross_correlogram", shared] < found.loc["spike_count_correlation", shared]
