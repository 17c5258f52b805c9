"""Circuits that oscillate, follow a rhythm or hand activity on in time, and their rivals; one file per mechanism."""
