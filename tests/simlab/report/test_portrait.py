"""Portraits are drawn, are the same each time, and measure what they say they measure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import toys
import xarray as xr
from matplotlib.axes import Axes

from simlab import activity_statistics as measures
from simlab import data, registry
from simlab.contracts import SimlabError
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.stimulating.ideal import Ideal
from simlab.report import figures, panels
from simlab.report.portrait import circuit_portrait, portrait, reference_activity, stimulator_portrait
from simlab.session import Session, Stimulus


def poisson(rate: float, n_cells: int, trials: int, duration: float) -> xr.Dataset:
    rng = np.random.default_rng(1)
    counts = rng.poisson(rate * duration, (trials, n_cells))
    trial, cell = (np.repeat(index.ravel(), counts.ravel()) for index in np.indices(counts.shape))
    return data.activity(Session(trials, duration), n_cells, spikes=(trial, rng.uniform(0, duration, len(cell)), cell))


@dataclass(frozen=True)
class RateToy:
    """Rates that swing under a stimulus; a subject that states its neurons' preferred angles."""

    name: ClassVar[str] = "rate_toy"
    mechanism: ClassVar[str] = "swinging rates"
    questions: ClassVar[tuple[str, ...]] = ("connectivity",)

    def subject(self, rng: np.random.Generator) -> RateSubject:
        return RateSubject()


class RateSubject:
    anatomy = data.anatomy(np.zeros((5, 3)), ["E", "E", "E", "I", "I"])
    preferred_angle = np.array([2.0, 0.0, 4.0, np.nan, np.nan])

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        return Session(trials, duration, Stimulus(("angle",), np.full((trials, 4, 1), 1.0), duration / 4))

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        time = np.arange(0, session.duration, 0.01)
        rate = 5 + np.sin(2 * np.pi * 10 * time)[None, :, None] + rng.standard_normal((session.trials, len(time), 5))
        return data.activity(session, 5, rate=rate, time=time)

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        raise LookupError("rate_toy answers nothing")


def test_a_circuit_is_drawn_the_same_twice(tmp_path):
    one, two = (portrait(toys.ToyChain(), tmp_path / f"{i}.png", trials=2, duration=1.0) for i in (1, 2))
    assert one.read_bytes() == two.read_bytes()
    assert one.read_bytes().startswith(b"\x89PNG")


def test_svg_is_drawn_the_same_twice(tmp_path):
    one, two = (portrait(toys.ToyChain, tmp_path / f"{i}.svg", trials=2, duration=1.0) for i in (1, 2))
    assert one.read_bytes() == two.read_bytes()


def test_rates_stimuli_and_a_circuit_without_wiring_are_drawn(tmp_path):
    assert portrait(RateToy(), tmp_path / "rates.svg", trials=2, duration=1.0).stat().st_size > 10_000


def test_a_circuit_that_hardly_fires_is_drawn(tmp_path):
    silent = portrait(toys.ToyChain(rate=1e-9), tmp_path / "silent.png", trials=1, duration=0.5)
    assert silent.stat().st_size > 10_000


@pytest.mark.parametrize(
    "name", ["perfect", "subsample", "electrodes", "two_photon", "connectome", "ideal", "optogenetics"]
)
def test_every_built_in_instrument_has_a_portrait(name, tmp_path):
    assert portrait(name, tmp_path / f"{name}.svg").stat().st_size > 10_000


def test_a_method_has_no_portrait_and_the_error_says_what_has(tmp_path):
    with pytest.raises(SimlabError, match="circuits, instruments and stimulators have portraits, lag_correlation"):
        portrait(toys.LagCorrelation(), tmp_path / "x.png")


def test_a_strange_suffix_is_refused(tmp_path):
    with pytest.raises(SimlabError, match=r"\.svg, \.png or \.pdf, got 'x\.bmp'"):
        portrait(Perfect(), tmp_path / "x.bmp")


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SimlabError, match="cannot write the figure"):
        portrait(Ideal(), tmp_path / "file" / "x.png")


def test_drawing_leaves_matplotlib_as_it_was(tmp_path):
    import matplotlib

    before = dict(matplotlib.rcParams)
    portrait(Perfect(), tmp_path / "x.png")
    assert dict(matplotlib.rcParams) == before


def test_dollar_signs_in_names_are_drawn_as_they_are(tmp_path):
    class Dollar(toys.ToyChain):
        name = r"a$\frac$b_"

    assert portrait(Dollar(), tmp_path / "x.svg", trials=1, duration=0.5).exists()


def test_the_reference_keeps_its_refractory_period():
    anatomy, activity = reference_activity()
    trains = data.spike_trains(activity)
    assert anatomy.sizes["neuron"] == 60
    within = np.concatenate([np.diff(t[(t >= 0) & (t < 5)]) for t in trains])
    assert within.min() >= 2e-3


def test_the_cv_of_a_poisson_train_is_one():
    # 40 cells x 4 trials x 40 s x 5 Hz: 795 intervals a cell; s.e. of a cell's CV about 1/sqrt(795) = 0.035, of the
    # mean over cells 0.006; the band is 4 of them, plus 0.005 for the intervals that a trial's end cuts off.
    cv = measures.interval_cv(poisson(5.0, 40, 4, 40.0))
    assert abs(cv.mean() - 1) < 0.03


def test_the_cv_of_a_clock_is_zero_and_of_few_spikes_unknown():
    ticks = np.arange(0.05, 2, 0.1)
    spikes = (np.zeros(22), np.append(ticks, [0.5, 0.6]), np.append(np.zeros(20), [1, 1]))
    cv = measures.interval_cv(data.activity(Session(1, 2.0), 2, spikes=spikes))
    assert cv[0] == pytest.approx(0, abs=1e-9)
    assert np.isnan(cv[1])


def test_intervals_do_not_reach_across_trials():
    spikes = (np.repeat([0, 1], 10), np.tile(np.arange(10) * 0.01, 2), np.zeros(20))
    assert measures.interval_cv(data.activity(Session(2, 5.0), 1, spikes=spikes))[0] == pytest.approx(0, abs=1e-9)


def test_independent_cells_are_uncorrelated_and_copies_fully():
    independent = measures.pairwise_correlations(poisson(10.0, 20, 4, 25.0))
    # 2000 bins: s.e. of one r is 1/sqrt(2000) = 0.022; over 190 pairs 0.0016; band of 4.
    assert abs(independent.mean()) < 0.0065
    when = np.linspace(0.1, 4.9, 30)
    spikes = (np.zeros(60), np.tile(when, 2), np.repeat([0, 1], 30))
    assert measures.pairwise_correlations(data.activity(Session(1, 5.0), 2, spikes=spikes)) == pytest.approx([1.0])


def test_the_spectrum_of_poisson_cells_is_flat_at_twice_their_rate_over_their_number():
    frequency, power = measures.population_spectrum(poisson(8.0, 10, 20, 10.0))
    # Welch over about 20 x 19 half-overlapping segments: 2% for one frequency, far less over 250 of them; Hann and
    # detrending leave the mean of a flat spectrum within 1%.
    assert power.mean() == pytest.approx(2 * 8.0 / 10, rel=0.03)
    assert frequency[0] == pytest.approx(1.0)


def test_the_spectrum_of_a_swinging_rate_peaks_at_its_frequency():
    subject = RateSubject()
    rng = np.random.default_rng(3)
    activity = subject.run(subject.session(trials=4, duration=5.0, rng=rng), rng)
    frequency, power = measures.population_spectrum(activity)
    assert frequency[power.argmax()] == pytest.approx(10.0)


def test_ring_neurons_are_sorted_by_preferred_angle_within_their_type():
    order = panels.cell_order(RateSubject.anatomy, RateSubject.preferred_angle)
    assert order.tolist() == [1, 0, 2, 3, 4]


def test_scale_bars_are_round_numbers_that_fit():
    assert [panels.nice_below(v) for v in (0.3, 7, 10, 0.02)] == pytest.approx([0.2, 5, 10, 0.02])


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.5, "0.50"), (12.34, "12.3"), (1500.0, "1 500"), (float("nan"), "–"), (2e-5, "2.0×10⁻⁵"), (-0.25, "−0.25"),
     (1e-4, "10⁻⁴"), (float("inf"), "∞"), (3.0, "3")],
)  # fmt: skip
def test_numbers_are_plain(value, text):
    assert figures.plain_number(value) == text


def test_file_names_are_safe_and_never_taken_twice():
    taken: set[str] = set()
    assert figures.unique_slug("../../etc/<passwd>", taken) == "etc-passwd"
    assert figures.unique_slug("etc passwd", taken) == "etc-passwd-2"
    assert figures.unique_slug("///", taken) == "figure"


def test_the_first_32_lines_of_a_plot_look_different():
    looks = {(look["color"], str(look["linestyle"])) for look in map(figures.line_look, range(32))}
    assert len(looks) == 32


def test_weight_bars_and_stimulation_strengths_have_units():
    figure = circuit_portrait(registry.create("circuits", "coupled_rates", n_neurons=8), trials=2, duration=0.5)
    labels = {axes.get_ylabel() for axes in figure.findobj(Axes)}
    assert "weight [dimensionless]" in labels
    assert "drive at the neuron [rheobase]" in {axes.get_ylabel() for axes in stimulator_portrait(Ideal()).axes}
