"""What can be known at all: how well recordings of two circuits can be told apart by anything that only watches."""
