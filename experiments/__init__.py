"""Experiments: a grid of circuits, instruments and methods, and the claims it must bear out."""

SIMLAB_BUILT_IN = True  # lets the registry tell this package from a foreign one of the same name
