"""Preprocessing in front of a method: one file for each step, and the pipeline that makes a method of them."""
