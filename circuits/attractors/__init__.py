"""Attractors and what may be taken for them: one file for each mechanism."""
