"""Connectivity, cell type, topology and mechanism: what is asked of a circuit, and how an answer is scored."""
