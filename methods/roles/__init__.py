"""Who does what, from watching alone: the passive rivals of lesions."""
