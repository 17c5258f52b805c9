"""Analyses that perturb: one file each."""
