"""Instruments that stimulate: one file each."""
