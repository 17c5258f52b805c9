"""Analyses of the field, blind to the truth: one file per analysis."""

SIMLAB_BUILT_IN = True  # lets the registry tell this package from a foreign one of the same name
