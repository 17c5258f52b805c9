"""Six questions that simlab does not ask by itself, a circuit that knows their answers, and a method for each."""
