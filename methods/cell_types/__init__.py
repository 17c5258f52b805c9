"""Which units excite and which inhibit: from how they fire, and from what they do to others."""
