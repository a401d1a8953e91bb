"""Random models of one operator and of a few, for holding two engines against each other."""
