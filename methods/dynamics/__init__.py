"""Analyses of what moves: single-trial dynamics, states, time scales and events."""
