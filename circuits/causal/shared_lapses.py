"""Lapses that areas have in common, because they hear of the stimulus from one and the same hidden area."""

from __future__ import annotations


def shared_and_own(lapse: float, correlation: float) -> tuple[float, float]:
    """How often the source of two areas lapses, and each by itself: so that either misses a share `lapse` of trials.

    With p = 1 - lapse, s = 1 - (lapses of the source) and o = 1 - (own lapses): s o = p, and the correlation of the two
    areas over trials is (s o^2 - p^2) / (p (1 - p)), so that o = p + correlation (1 - p).
    """
    own = 1 - lapse + correlation * lapse
    return 1 - (1 - lapse) / own, 1 - own
