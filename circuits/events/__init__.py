"""Populations whose activity comes in brief events, and what may be taken for them."""
