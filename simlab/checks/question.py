"""What is asked of a question: declared variables, and scores, chance and baselines that fit them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simlab.checks.examiner import Examiner, require
from simlab.contracts import Picture, Variable
from simlab.experiment import BASELINES
from simlab.questions.form import KINDS

DRAWINGS = ("matrix", "confusion", "scatter", "filters", "traces", "partition")
PARTS = ("brief", "project", "score", "recovered", "false_recovery", "chance", "baselines")


def check_question(examine: Examiner, asked: Any) -> None:
    """Contract of a question, as far as it can be told without a truth: its cells show the rest."""
    for what in ("form", "truth_form"):
        examine.holds(f"declares the variables of its {what}", lambda w=what: _form(asked, w))  # type: ignore[misc]
    examine.holds("has every part that a question needs", lambda: _parts(asked))
    examine.holds("its headline and error_metric are among its metrics", lambda: _metrics(asked))
    examine.holds("its picture draws variables that it declares", lambda: _picture(asked))
    examine.holds("has the three baselines", lambda: _baselines(asked))


def _form(asked: Any, what: str) -> None:
    form = getattr(asked, what, None)
    require(
        isinstance(form, Mapping) and len(form) > 0,
        f"{what} must map the names of variables to simlab.Variable(dims, kind), got {form!r}",
    )
    for name, variable in (form or {}).items():
        require(isinstance(variable, Variable), f"{what}[{name!r}] must be a simlab.Variable, got {variable!r}")
        require(variable.kind in KINDS, f"the kind of {name} must be one of {', '.join(KINDS)}, got {variable.kind!r}")


def _parts(asked: Any) -> None:
    missing = [part for part in PARTS if not callable(getattr(asked, part, None))]
    require(not missing, f"a question needs the methods {', '.join(PARTS)}; {', '.join(missing)} is missing")


def _metrics(asked: Any) -> None:
    metrics: Any = getattr(asked, "metrics", None)
    require(isinstance(metrics, tuple) and bool(metrics), f"metrics must be a tuple of names, got {metrics!r}")
    headline = getattr(asked, "headline", None)
    require(headline in metrics, f"headline must be one of the metrics {', '.join(metrics)}, got {headline!r}")
    error = getattr(asked, "error_metric", "") or headline
    require(error in metrics, f"error_metric must be one of the metrics {', '.join(metrics)}, got {error!r}")


def _picture(asked: Any) -> str:
    picture = getattr(asked, "picture", None)
    if picture is None:
        return "draws nothing"
    require(isinstance(picture, Picture), f"picture must be a simlab.Picture or None, got {picture!r}")
    require(picture.kind in DRAWINGS, f"picture.kind must be one of {', '.join(DRAWINGS)}, got {picture.kind!r}")
    for name in filter(None, (picture.answer, picture.marked)):
        require(name in asked.form, f"picture draws {name!r}, which is not in the form {', '.join(asked.form)}")
    return picture.kind


def _baselines(asked: Any) -> None:
    found = asked.baselines()
    missing = [kind for kind in BASELINES if not callable(found.get(kind))]
    require(not missing, f"baselines() must give {', '.join(BASELINES)}, each callable; missing: {', '.join(missing)}")
