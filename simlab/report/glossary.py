"""What the words of a report mean: the lab's own, and the field's measures."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any

from simlab.describe import field_docs
from simlab.report.figures import plain_number

WORDS = {
    "recovered": (
        "The answer meets its question's criterion, which the question's page states. The rate is over the cells in "
        "which the method answered; errors and exhausted budgets count as not recovered, abstentions do not count."
    ),
    "false recovery": "The method claimed a mechanism on a rival: a circuit that looks alike but lacks it.",
    "separation": "Recovery minus false recovery, abstentions as 0: 1 tells circuit from rival, 0 cannot.",
    "abstained": "The method refused to answer and said why. Neither right nor wrong.",
    "chance": "What is had without looking: the metric's expectation; for recovery, the better blind baseline.",
    "ceiling": "The same method on the same circuits with the perfect instrument and ample data.",
    "league": (
        "Methods compared over the settings (circuit, plan, instrument, subject) that all of them met. Rates of "
        "different leagues are of unlike cells and must not be compared."
    ),
    "Brier score": "Mean squared difference of stated confidence and outcome: 0 is best, always saying 50% gets 0.25.",
    "95% interval": (
        "Of rates: Wilson's, widened where subjects gave several cells. Of means: the bootstrap over three "
        "subjects or more."
    ),
    "baselines": "oracle answers the truth, random guesses, marginals_only sees rates and variances alone.",
}
METRICS = {
    "mcc": "Matthews correlation coefficient of decided and true edges: 1 all right, 0 chance, −1 all wrong.",
    "auroc": "Area under the ROC curve: how well the graded answer ranks true above false; 0.5 is chance.",
    "auprc": "Area under the precision-recall curve; chance is the share that is true.",
    "correct": "1 where the right label was given, else 0.",
    "exact": "1 where every number is exactly right, else 0.",
    "f1": "Harmonic mean of precision and recall.",
    "r2": "Share of variance explained (R²): 1 is perfect, 0 no better than the mean.",
    "spearman": "Spearman's rank correlation with the truth.",
    "balanced_accuracy": "Mean over the true classes of the share that was labelled right; 0.5 is chance for two.",
    "adjusted_rand": "Agreement of two partitions, 0 by chance, 1 where they are the same.",
    "cosine": "Cosine of the angle between true and answered filter: 1 where they are alike.",
    "recovered": "1 where the question's criterion was met, else 0.",
}


def of_metric(name: str) -> str:
    """What a metric of this name is, where it is one of the usual ones."""
    return METRICS.get(name, "")


def criterion(question: Any) -> list[tuple[str, str, str]]:
    """The parameters of a question's criterion: name, value in this run, what it is."""
    if not dataclasses.is_dataclass(question):
        return []
    notes = field_docs(type(question))
    return [
        (field.name, _value(getattr(question, field.name)), notes.get(field.name, "").replace("`", ""))
        for field in dataclasses.fields(question)
    ]


def _value(value: Any) -> str:
    return plain_number(value) if isinstance(value, int | float) else str(value)


def rule(question: Any) -> str:
    """How the question itself says when an answer counts as a recovery, with its parameters' values."""
    words = " ".join((inspect.getdoc(question.recovered) or "").split())
    for name, value, _ in criterion(question):
        words = words.replace(f"`{name}`", f"{value} ({name})")
    return words.replace("`", "")  # around the names of metrics, which the page does not set apart
