"""Numbers and texts as the report's pages say them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from simlab.report.figures import plain_number

SHOWN, TOLD = 60, 300
"""Characters of a long name that a page shows, and that it tells when pointed at."""


def known(value: Any) -> bool:
    """Whether this is a finite number."""
    return isinstance(value, int | float) and math.isfinite(value)


def rate(value: float) -> str:
    """A rate or score with two digits behind the point; `–` where there is none."""
    return f"{value + 0.0:.2f}".replace("-0.00", "0.00").replace("-", "−") if known(value) else "–"


def percent(value: float) -> str:
    """A rate as a whole percentage; `–` where there is none."""
    return f"{value:.0%}" if known(value) else "–"


def duration_words(seconds: float) -> str:
    """Seconds in the unit that suits their size."""
    for limit, size, unit in ((120, 1, "s"), (7200, 60, "min"), (math.inf, 3600, "h")):
        if seconds < limit:
            return f"{plain_number(float(f'{seconds / size:.3g}'))} {unit}"
    return "–"


def band_words(low: float, high: float) -> str:
    """What a claim's band says: exactly, at least, at most, or from one end to the other."""
    if low == high:
        return plain_number(low)
    if math.isinf(high):
        return f"at least {plain_number(low)}"
    return f"at most {plain_number(high)}" if math.isinf(low) else f"{plain_number(low)} to {plain_number(high)}"


def amount_needed(row: dict[str, Any]) -> str:
    """An amount of `data_for_recovery` in words, with its interval if there is one."""
    if row["verdict"] != "reached":
        return str(row["verdict"])
    amount = plain_number(row["amount"])
    if row["low"] != row["low"]:
        return amount
    return f"{amount} [{plain_number(row['low'])}, {plain_number(row['high'])}]"


def paragraphs(text: str) -> list[str]:
    """Text split at blank lines, each paragraph on one line, without the marks that set names apart in a docstring."""
    return [" ".join(part.split()).replace("`", "") for part in text.split("\n\n") if part.strip()]


def shortened(text: Any, most: int = SHOWN) -> str:
    """Text of at most so many characters, its end cut off with an ellipsis."""
    words = str(text)
    return words if len(words) <= most else words[: most - 1] + "…"


def told_apart(labels: Sequence[str], most: int) -> list[str]:
    """Labels of at most so many characters. Those that would be cut to the same keep their beginning and, after an
    ellipsis, what stands from the first parameter on that tells them from the one they are most like."""
    cut_off = [shortened(label, most) for label in labels]
    heads = []
    for label, head in zip(labels, cut_off, strict=True):
        rivals = [other for other, own in zip(labels, cut_off, strict=True) if own == head and other != label]
        if rivals:
            differ = max(_alike(label, other) for other in rivals)
            start = max(label.rfind(sign, 0, differ) for sign in "(, ") + 1
            head = shortened(f"{label[: most // 3]}…{label[start:]}", most)
        heads.append(head)
    return heads


def _alike(first: str, second: str) -> int:
    """How many characters they have in common at their beginnings."""
    return next(
        (k for k, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), min(len(first), len(second))
    )


def breakable(text: Any) -> Any:
    """Text, escaped, that may break its line after an underscore, a comma or an opening bracket."""
    from markupsafe import Markup, escape

    return Markup(re.sub(r"([_,(=])", r"\1<wbr>", str(escape(text))))


def cut(text: Any, most: int = SHOWN) -> Any:
    """Text, escaped and breakable; a long one is cut, and told in full, up to 300 characters, when pointed at."""
    from markupsafe import Markup

    words = str(text)
    if len(words) <= most:
        return breakable(words)
    return Markup('<span title="{}">{}</span>').format(shortened(words, TOLD), breakable(shortened(words, most)))
