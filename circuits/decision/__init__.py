"""Populations that come to a decision: by an attractor, by a ramp to a bound, by a step at a random time."""
