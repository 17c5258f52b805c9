"""When it happened: detectors of ripples, bursts and other brief events."""
