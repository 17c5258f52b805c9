"""Who does what, read off a recording: what looks like a part of the behaviour without anything being done to it."""
