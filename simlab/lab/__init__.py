"""One cell of an experiment: the subject, its implant, the blinded recording, the method, the score."""
