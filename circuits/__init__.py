"""Circuits whose mechanism is known completely: one file per mechanism."""

SIMLAB_BUILT_IN = True  # lets the registry tell this package from a foreign one of the same name
