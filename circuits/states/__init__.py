"""Regimes of a network's activity and what may be taken for them: one file for each mechanism."""
