"""Analyses of what moves: single-trial dynamics, states, time scales and events."""

"""What holds or moves the activity: fits, fluctuations and pushes that tell dynamical regimes apart."""
