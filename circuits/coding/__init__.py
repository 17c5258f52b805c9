"""Circuits about what neurons code: values of actions, and neurons that merely look as if they did."""
