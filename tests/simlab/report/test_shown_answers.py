"""A report shows the answers that tell most beside their truth, and a picture that fails costs itself alone."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, ClassVar

import pandas as pd
import pytest
import xarray as xr
from answered import PARTITION, labelled, per_unit, wiring

from simlab.contracts import Picture, Variable
from simlab.questions.connectivity import Connectivity
from simlab.questions.mechanism import Mechanism
from simlab.report.figures import Gallery
from simlab.report.pictures import MOST_LABELS
from simlab.report.shown_answers import MOST_ANSWERS, shown


@dataclass
class Kept:
    """A stand-in for Results: a table, and answers by the id of their cell."""

    rows: list[dict[str, Any]]
    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    @property
    def table(self) -> pd.DataFrame:
        return pd.DataFrame(self.rows)

    def answer(self, cell: str) -> tuple[dict[str, Any], xr.Dataset] | None:
        self.asked.append(cell)
        found = self.answers.get(cell)
        return (dict(found.estimate), found.truth) if found else None


def row(cell: str, question: str, **columns: Any) -> dict[str, Any]:
    plain = {
        "cell": cell, "question": question, "role": "circuit", "status": "ok", "method": "glm", "method_label": "glm",
        "circuit_label": "ei", "instrument_label": "perfect", "trials": 4, "duration": 2.0, "subject": 0,
        "false_recovery": float("nan"), "mcc": float("nan"), "correct": float("nan"),
    }  # fmt: skip
    return plain | columns


@pytest.fixture
def gallery(tmp_path) -> Gallery:
    return Gallery(tmp_path / "figures")


def wired(mccs: dict[str, float], **columns: Any) -> Kept:
    rows = [row(cell, "connectivity", mcc=mcc, **columns) for cell, mcc in mccs.items()]
    return Kept(rows, {cell: wiring(6, seed=i) for i, cell in enumerate(mccs)})


def files(gallery: Gallery) -> list[str]:
    return sorted(path.stem for path in gallery.folder.iterdir())


def test_the_best_the_median_the_worst_and_the_worst_claim_on_a_rival_are_shown(gallery):
    kept = wired({"a": 0.2, "b": 0.9, "c": 0.5})
    kept.rows.append(row("d", "connectivity", role="rival", false_recovery=1.0))
    kept.answers["d"] = wiring(5, density=0.0)
    plates, trouble = shown(kept, kept.table, Connectivity(), ["glm"], gallery)
    assert trouble == ""
    assert [p.caption.split(";")[0] for p in plates] == ["mcc 0.90", "mcc 0.50", "mcc 0.20", "mcc undefined here"]
    assert files(gallery) == [f"connectivity-{c}" for c in ("best", "false-recovery-on-a-rival", "median", "worst")]


def test_a_cell_whose_answer_was_not_kept_gives_way_to_the_next_best(gallery):
    kept = wired({"a": 0.2, "b": 0.9, "c": 0.5})
    del kept.answers["b"]
    plates, _ = shown(kept, kept.table, Connectivity(), ["glm"], gallery)
    assert plates[0].caption.startswith("mcc 0.50")


def test_labels_of_circuits_are_shown_by_role(gallery):
    pairs = [("ring", "ring"), ("ring", "chain"), ("chain", "chain")]
    answers = {f"c{i}": answer for i, answer in enumerate(labelled(pairs, listed=("chain", "ring")))}
    rows = [
        row(cell, "mechanism", role=role) for cell, role in zip(answers, ("circuit", "circuit", "rival"), strict=True)
    ]
    plates, trouble = shown(kept := Kept(rows, answers), kept.table, Mechanism(), ["glm"], gallery)
    assert trouble == ""
    assert files(gallery) == ["mechanism-answers-circuit", "mechanism-answers-rival"]
    assert [p.caption for p in plates] == ["2 of 2 answers, over all settings.", "1 of 1 answers, over all settings."]


def test_of_too_many_answers_some_of_every_method_are_shown(gallery):
    n = MOST_ANSWERS
    rows = [row(f"{method}{i}", "mechanism", method=method, method_label=method) for method in "ab" for i in range(n)]
    kept = Kept(rows, {r["cell"]: labelled([("x", "x")])[0] for r in rows})
    plates, _ = shown(kept, kept.table, Mechanism(), ["b", "a"], gallery)
    assert len(kept.asked) == n
    assert sum(cell.startswith("a") for cell in kept.asked) == pytest.approx(n / 2, abs=1)
    assert kept.asked[0].startswith("b")
    assert plates[0].caption == f"{n} of {2 * n} answers, over all settings."


def test_of_too_many_methods_the_best_are_shown_and_the_rest_are_counted(gallery):
    methods = [f"m{i}" for i in range(MOST_LABELS + 2)]
    rows = [row(method, "mechanism", method=method, method_label=method) for method in methods]
    kept = Kept(rows, {method: labelled([("x", "x")], method)[0] for method in methods})
    plates, _ = shown(kept, kept.table, Mechanism(), methods[::-1], gallery)
    assert kept.asked == methods[::-1][:MOST_LABELS]
    assert plates[0].caption.endswith("Of 10 methods the first 8 of the leaderboard.")


def test_baselines_and_abstentions_are_not_shown(gallery):
    rows = [row("o", "mechanism", method="baseline:oracle"), row("s", "mechanism", status="abstained")]
    kept = Kept(rows, {r["cell"]: labelled([("x", "x")])[0] for r in rows})
    assert shown(kept, kept.table, Mechanism(), [], gallery) == ([], "")
    assert kept.asked == []


def test_a_question_without_a_picture_shows_nothing(gallery):
    plain = SimpleNamespace(name="connectivity", picture=None)
    assert shown(wired({"a": 0.2}), wired({"a": 0.2}).table, plain, ["glm"], gallery) == ([], "")


def test_a_picture_that_fails_is_noted_and_those_before_it_are_kept(gallery):
    kept = wired({"a": 0.2, "b": 0.9, "c": 0.5})
    kept.answers["c"] = replace(kept.answers["c"], truth=kept.answers["c"].truth.drop_vars("weight"))
    plates, trouble = shown(kept, kept.table, Connectivity(), ["glm"], gallery)
    assert [p.caption.split(";")[0] for p in plates] == ["mcc 0.90"]
    assert trouble.startswith("The answers could not be drawn: SimlabError: a matrix shows weight of the truth")


def test_a_third_partys_question_of_a_variable_of_its_own_is_drawn(gallery):
    @dataclass(frozen=True)
    class CellType:
        name: ClassVar[str] = "cell_type"
        headline: ClassVar[str] = "index"
        form: ClassVar[dict[str, Variable]] = {"group": Variable(("unit",), "whole")}
        picture: ClassVar[Picture] = PARTITION

    rows = [row(str(i), "cell_type", index=v) for i, v in enumerate((0.1, 0.8))]
    answers = {str(i): per_unit(["E", "E", "I"], [0, i, i + 1], "group", "kind") for i in range(2)}
    plates, trouble = shown(kept := Kept(rows, answers), kept.table, CellType(), ["glm"], gallery)
    assert trouble == ""
    assert "true against answered kind" in plates[0].alt


def test_an_answer_without_its_optional_variable_is_passed_over(gallery):
    kept = wired({"a": 0.2, "b": 0.9})
    kept.answers["b"] = replace(kept.answers["b"], estimate={"decided": kept.answers["b"].estimate["decided"]})
    plates, trouble = shown(kept, kept.table, Connectivity(), ["glm"], gallery)
    assert trouble == ""
    assert [p.caption.split(";")[0] for p in plates] == ["mcc 0.20"]
