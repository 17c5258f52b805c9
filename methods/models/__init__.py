"""Which candidate model shares the mechanism: one file for each way to choose among them."""
