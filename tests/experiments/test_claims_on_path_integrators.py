"""Claims on trained path integrators and on tests of grids, checked on made-up results of which the answer is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from experiments import no_free_lunch as lunch
from simlab.claims import ClaimResult
from simlab.fingerprint import label

N = 20


def rows(circuit: object, /, method: object = None, **more: object) -> pd.DataFrame:
    """One cell of each of twenty subjects, recorded perfectly; without a method, the line of the truth."""
    fixed = {
        "role": "circuit", "circuit": circuit.name, "circuit_label": label(circuit), "instrument": "perfect",
        "method": "baseline:oracle" if method is None else method.name, "question": "spatial_pattern", "status": "ok",
        "method_label": "baseline:oracle" if method is None else label(method), "subject": np.arange(N),
        "kind": "baseline" if method is None else "passive", "recovered": np.nan, "n_grids": 0.0, "n_others": 100.0,
        "cell": [f"{label(circuit)} {k}" for k in range(N)],
    }  # fmt: skip
    return pd.DataFrame(fixed | more)


def answers(error: dict[str, float], period: dict[str, float] | None = None, modules: int = 1):
    """answer(cell): truths with this decoding error [m] and period [m] by the circuit's label."""

    def answer(cell: str):
        name = cell.rsplit(" ", 1)[0]
        grid = np.array([True, False])
        told = {"grid": ("unit", grid), "period": ("unit", grid * (period or {}).get(name, 0.5))}
        return {}, xr.Dataset(told | {"decoding_error": error.get(name, 0.05), "modules": modules})

    return answer


def checked(name: str, table: pd.DataFrame, *answer: object) -> ClaimResult:
    return next(claim for claim in lunch.CLAIMS if claim.name == name).check(table, *answer)


def every(**more: object) -> pd.DataFrame:
    return pd.concat([rows(circuit, **more) for circuit in lunch.NETWORKS])


def test_networks_integrate_below_ten_centimetres_and_each_counts_once():
    table = pd.concat([every(), every(method=None)])
    found = checked("most_networks_integrate", table, answers({label(lunch.CENTRE_SURROUND): 0.3}))
    assert (found.verdict, found.measured.value, found.measured.n) == ("holds", pytest.approx(7 / 8), 8 * N)
    off = dict.fromkeys(map(label, lunch.NETWORKS), 0.11)
    assert checked("most_networks_integrate", table, answers(off)).verdict == "fails"
    beside = every(instrument="subsample")
    assert checked("most_networks_integrate", beside, answers({})).verdict == "not measured"


@pytest.mark.parametrize(
    ("name", "circuit", "few"),
    [
        ("cartesian_targets_make_no_grids", lunch.CARTESIAN, True), ("polar_targets_hardly_do", lunch.POLAR, True),
        ("gaussian_targets_hardly_do", lunch.GAUSSIAN, True),
        ("heterogeneous_targets_make_no_grids", lunch.SEVERAL, True),
        ("differences_of_softmaxes_make_them", lunch.SOFTMAXES, False),
    ],
)  # fmt: skip
def test_grids_are_counted_among_those_that_integrate(name, circuit, few):
    many = [rows(circuit, subject=k * N + np.arange(N)) for k in range(5)]
    none, all_ = pd.concat(many), pd.concat(many).assign(n_grids=3.0)
    right, wrong = (none, all_) if few else (all_, none)
    assert checked(name, right, answers({})).verdict == "holds"
    assert checked(name, wrong, answers({})).verdict == "fails"
    assert checked(name, right, answers({label(circuit): 0.5})).verdict == "not measured"


def test_the_share_of_units_is_of_those_that_are_asked_about():
    table = rows(lunch.SOFTMAXES, n_grids=5.0, n_others=95.0)
    assert checked("few_of_their_units_are_grid_cells", table).measured.value == pytest.approx(0.05)
    assert checked("few_of_their_units_are_grid_cells", table.assign(n_grids=95.0)).verdict == "fails"


def test_modules_are_counted_where_there_are_grid_cells_enough():
    table = pd.concat([rows(lunch.SOFTMAXES, n_grids=6.0), rows(lunch.WIDE, n_grids=3.0)])
    found = checked("periods_have_one_peak", table, answers({}))
    assert (found.verdict, found.measured.n) == ("holds", N)
    assert checked("periods_have_one_peak", table, answers({}, modules=2)).verdict == "fails"


def test_periods_are_compared_between_widths():
    table = pd.concat([rows(lunch.WIDE, n_grids=6.0), rows(lunch.NARROW, n_grids=6.0)])
    widths = label(lunch.WIDE), label(lunch.NARROW)
    found = checked(
        "the_width_of_the_target_sets_the_period", table, answers({}, dict(zip(widths, (1.2, 0.7), strict=True)))
    )
    assert (found.verdict, found.measured.value) == ("holds", pytest.approx(1.2 / 0.7))
    same = dict.fromkeys(widths, 0.7)
    assert checked("the_width_of_the_target_sets_the_period", table, answers({}, same)).verdict == "fails"


def test_harm_is_the_difference_of_errors():
    table = pd.concat([rows(lunch.SEVERAL), rows(lunch.SOFTMAXES)])
    table.loc[:, "subject"] = np.arange(2 * N)
    names = label(lunch.SEVERAL), label(lunch.SOFTMAXES)
    fine, harmed = (answers(dict(zip(names, pair, strict=True))) for pair in ((0.05, 0.04), (0.2, 0.04)))
    assert checked("and_integrate_as_well", table, fine).measured.value == pytest.approx(0.01)
    assert checked("and_integrate_as_well", table, fine).verdict == "holds"
    assert checked("and_integrate_as_well", table, harmed).verdict == "fails"


@pytest.mark.parametrize(
    ("name", "circuit"),
    [("by_default", lunch.FORMED), ("of_a_close_lattice", lunch.CLOSE), ("of_a_strong_surround", lunch.STRONG)],
)
def test_grown_periods_are_taken_in_units_of_the_theory(name, circuit):
    table = rows(circuit, n_grids=6.0)
    right, long = (answers({}, {label(circuit): factor * circuit.period}) for factor in (1.02, 1.2))
    assert checked(f"theory_tells_the_period_{name}", table, right).measured.value == pytest.approx(1.02)
    assert checked(f"theory_tells_the_period_{name}", table, right).verdict == "holds"
    assert checked(f"theory_tells_the_period_{name}", table, long).verdict == "fails"


@pytest.mark.parametrize(
    ("name", "method", "circuit", "column", "good", "bad"),
    [
        ("gridness_finds_real_grids", lunch.ROLLED, lunch.DRIVEN, "recall", 0.96, 0.5),
        ("the_spectrum_finds_real_grids", lunch.SPECTRUM, lunch.DRIVEN, "recall", 0.96, 0.5),
        ("the_lattice_finds_real_grids", lunch.LATTICE, lunch.DRIVEN, "recall", 0.96, 0.5),
        ("rolled_spikes_let_place_fields_pass", lunch.ROLLED, lunch.PLACES, "called", 0.3, 0.03),
        ("maps_in_pieces_do_not", lunch.BLOCKS, lunch.PLACES, "called", 0.05, 0.3),
        ("bands_are_no_grids_by_the_lattice", lunch.LATTICE, lunch.BANDS, "called", 0.0, 0.6),
    ],
)
def test_each_test_of_grids_is_read_on_its_cells(name, method, circuit, column, good, bad):
    spread = 0.01 * (np.arange(N) % 2 - 0.5)
    true = rows(circuit, method, **{column: good + spread * (good > 0)})
    false = true.assign(**{column: bad + spread})
    beside = [false.assign(method_label="another"), false.assign(circuit_label="another"), false.assign(instrument="x")]
    assert checked(name, pd.concat([true, *beside])).verdict == "holds"
    assert checked(name, false).verdict == "fails"


def test_the_oracle_is_asked_where_there_are_grids():
    right = rows(lunch.SOFTMAXES, recovered=1.0, n_grids=2.0, f1=1.0, headline=1.0)
    assert checked("oracle_recovers", right).verdict == "holds"
    assert checked("oracle_recovers", right.assign(recovered=0.0)).verdict == "fails"


def test_the_networks_are_those_that_are_claimed_about():
    assert {c.target for c in lunch.NETWORKS} == {
        "cartesian", "polar", "gaussian", "difference_of_gaussians", "difference_of_softmaxes",
    }  # fmt: skip
    assert len({label(c) for c in lunch.NETWORKS}) == len(lunch.NETWORKS)
    assert lunch.SEVERAL.more_fields > 0
    assert lunch.SEVERAL.scales > 1
