"""A network fitted to planted linear populations that are recorded whole or in part, and to what tells it nothing."""

import numpy as np
import pytest
from memory_worlds import value_recording

from methods.dynamics.data_constrained_network import DataConstrainedNetwork, fitted_map, modes
from simlab.data import recording

STEP, N_UNITS = 0.01, 20


def planted(regime):
    """A map (before, after) of twenty units per step, of cells of 100 ms."""
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.normal(size=(N_UNITS, N_UNITS)))[0]
    form = 0.9 * np.eye(N_UNITS)
    if regime == "line":
        form[0, 0] = 0.999
    if regime == "plane":
        form[:2, :2] = 0.999 * np.eye(2)
    if regime == "cycle":
        form[:2, :2] = 0.9995 * np.array([[np.cos(0.1), np.sin(0.1)], [-np.sin(0.1), np.cos(0.1)]])
    if regime == "chain":
        form += 0.1 * np.eye(N_UNITS, k=1)
        form[:-1, -1] += 0.2
    if regime == "nothing":
        form[:] = 0
    return basis @ form @ basis.T


def seen(regime, n_trials=60, n_units=N_UNITS, seed=0):
    rng, fitted = np.random.default_rng(seed), planted(regime)
    rates, state = np.empty((n_trials, 200, N_UNITS)), rng.normal(size=(n_trials, N_UNITS))
    for k in range(-200, 200):
        state = state @ fitted + rng.normal(size=state.shape)
        rates[:, max(k, 0)] = 50 + state
    shown = np.full((n_trials, 40, 1), np.nan)
    shown[:, :5] = rng.uniform(-1, 1, (n_trials, 1, 1))
    return recording(
        duration=2.0, n_units=n_units, n_trials=n_trials, signal=rates[:, :, :n_units], modality="rate",
        signal_units="Hz", sample_time=np.arange(200) * STEP, stimulus=shown, time=np.arange(40) * 0.05,
    ).assign_coords(feature=["value"])  # fmt: skip


def label(found, method=None):
    finding = (method or DataConstrainedNetwork()).analyse(found, np.random.default_rng(0))
    return finding.abstained or finding.estimate["label"]


@pytest.mark.parametrize(
    ("regime", "expected"),
    [
        ("line", "line attractor"),
        ("chain", "non-normal integrator"),
        ("cells", "fixed point"),
        ("cycle", "limit cycle"),
        ("plane", "none of them stands out"),
        ("nothing", "the fit predicts"),
    ],
)
def test_a_population_recorded_whole_is_called_what_it_is_or_not_at_all(regime, expected):
    assert expected in label(seen(regime))


def test_a_few_of_a_chain_s_units_are_predicted_as_well_and_called_a_line():
    whole, part = (
        DataConstrainedNetwork().analyse(seen("chain", n_units=n), np.random.default_rng(0)) for n in (N_UNITS, 5)
    )
    assert [whole.estimate["label"], part.estimate["label"]] == ["non-normal integrator", "line attractor"]
    assert part.notes["time_constants"][0] > 3 * whole.notes["time_constants"][0]
    assert part.notes["predicted"] > 0.99 * whole.notes["predicted"]


def test_a_fit_to_all_units_is_the_planted_map():
    fitted = fitted_map(seen("cells").variables["signal"].values, 0.0)
    # 12,000 samples, unit noise on units of variance 5: an error of .004 in each coefficient; the largest of 400: .014
    assert fitted == pytest.approx(planted("cells"), abs=0.018)
    assert modes(planted("line"), STEP)[0][:2] == pytest.approx([10.0, 0.0949], rel=1e-3)  # -.01 / ln .999, ln .9


def test_spikes_few_samples_and_a_short_dark_are_abstentions():
    assert "rate" in label(value_recording(0))
    assert "too few for 20 units" in label(seen("line", n_trials=8).isel(sample=slice(None, None, 20)))
    assert "dark" in label(seen("line"), DataConstrainedNetwork(min_dark=1.9))
