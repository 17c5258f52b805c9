"""Instruments that record: one file each."""
