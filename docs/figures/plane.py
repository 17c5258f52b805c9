"""Draws the plane of prediction and mechanism from a run.

simlab run prediction_and_mechanism
python docs/figures/plane.py runs/prediction_and_mechanism docs/figures/plane.svg
"""

from __future__ import annotations

import sys

import matplotlib

import simlab
from experiments._plane import draw, plane, right

if __name__ == "__main__":
    folder, out = sys.argv[1:3]
    table = plane(simlab.open_results(folder))
    print(right(table).to_string(float_format="%.2f"))
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "plane"}):  # small, and the same every time
        draw(table).savefig(out, dpi=110)
