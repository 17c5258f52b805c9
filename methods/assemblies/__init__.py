"""Which units belong together: partitions of the recorded units."""
