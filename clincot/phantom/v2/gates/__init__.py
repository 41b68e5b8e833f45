"""Untrained and pre-trained parts of version 2 -> whether its world can show what regions are worth, as gates."""
