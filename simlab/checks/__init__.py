"""What `simlab.check` asks of each kind of plug-in: one file per kind, and a tiny real problem for them to solve."""
