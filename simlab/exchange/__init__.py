"""Data in and out: NWB, zarr, Neo, pynapple, plain arrays."""
