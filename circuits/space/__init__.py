"""Cells that map a place: grids and place fields, held up by recurrent synapses or driven by the position."""
