"""Preprocessing in front of a method."""
