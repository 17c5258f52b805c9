"""What is kept: the ledger of finished cells, the archive of simulated activity, results as tables."""
