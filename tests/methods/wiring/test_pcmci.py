import numpy as np
import pytest
from planted_connectivity import coupled_spikes, poisson_spikes, ring_weight
from wiring_manners import check_answers, discoveries, odd_signals, odd_spikes, signal_recording

from methods.wiring import pcmci
from methods.wiring.pcmci import PCMCI, laid_end_to_end
from simlab.contracts import SimlabError

METHOD = PCMCI()


@pytest.fixture
def tigramite():
    """The library, which is under the GPL and in no environment of ours unless somebody put it there."""
    return pytest.importorskip("tigramite")


def test_without_the_library_it_abstains_and_names_licence_extra_and_the_way_round_it(monkeypatch):
    monkeypatch.setattr(pcmci, "find_spec", lambda name: None)
    reason = METHOD.analyse(poisson_spikes(np.random.default_rng(0), n=3), None).abstained
    for told in ("GPL", "simlab[pcmci]", "conditional_independence"):
        assert told in reason


def test_no_lag_is_refused():
    with pytest.raises(SimlabError, match="max_lag"):
        PCMCI(max_lag=0)


def test_trials_lie_so_far_apart_that_no_lag_bridges_them():
    trace = np.arange(12.0).reshape(2, 3, 2)
    rows = laid_end_to_end(trace, 4, -1.0)
    assert rows.shape == (14, 2)
    np.testing.assert_array_equal(rows[:3], trace[0])
    np.testing.assert_array_equal(rows[7:10], trace[1])
    assert (rows[3:7] == -1).all()
    assert (rows[10:] == -1).all()


def test_planted_couplings_are_found_with_their_sign_and_direction(tigramite):
    weight = ring_weight(6)
    world = coupled_spikes(weight, np.random.default_rng(5), trials=20)
    found = PCMCI(bin_width=0.003).analyse(world, None).estimate
    true = weight != 0
    assert found["decided"][true].all()
    np.testing.assert_array_equal(found["sign"][true], np.sign(weight[true]))
    assert (found["score"][true] > found["score"].T[true]).all()


def test_neither_chains_nor_common_input_make_links(tigramite):
    rng = np.random.default_rng(3)
    x = rng.normal(size=(4, 600, 4))
    for t in range(2, 600):
        x[:, t] += 0.5 * x[:, t - 1]
        x[:, t, 1] += 0.4 * x[:, t - 1, 0]
        x[:, t, 2] -= 0.4 * x[:, t - 1, 1]
        x[:, t, 3] += 0.4 * x[:, t - 2, 0]
    found = METHOD.analyse(signal_recording(x), None).estimate
    true = np.zeros((4, 4), dtype=bool)
    true[0, 1] = true[1, 2] = true[0, 3] = True
    assert found["decided"][true].all()
    assert found["sign"][1, 2] == -1
    assert found["decided"][~true].sum() <= 1


def test_a_link_without_other_parents_is_the_correlation_within_trials(tigramite):
    rng = np.random.default_rng(4)
    x = rng.normal(size=(30, 20, 2))
    x[:, 1:, 1] += 0.8 * x[:, :-1, 0]
    x[:15] += 3  # a trial that followed another without a gap would show
    found = PCMCI(parent_level=1e-300).analyse(signal_recording(x), None).estimate
    first = 2 * METHOD.max_lag  # the library leaves these samples of the first trial out
    before = np.concatenate([x[0, first - 1 : -1, 0], x[1:, :-1, 0].ravel()])
    after = np.concatenate([x[0, first:, 1], x[1:, 1:, 1].ravel()])
    assert found["weight"][0, 1] == pytest.approx(np.corrcoef(before, after)[0, 1])


@pytest.mark.parametrize("kind", ["refractory", "autocorrelated"])
def test_independent_units_are_seldom_called_connected(tigramite, kind):
    # the rate that is promised is .05: P(more than 2 of 6 | .1) = .016
    assert discoveries(METHOD, kind, 2) <= 2


def test_odd_recordings_get_an_answer_or_a_reason(tigramite):
    reasons = check_answers(METHOD, odd_spikes())
    assert set(reasons) == {"no spike", "one unit", "short trials", "twin units"}
    assert "copies" in reasons["twin units"]
    reasons = check_answers(METHOD, odd_signals())
    assert set(reasons) == {"short traces", "constant traces", "twin traces"}
