"""Drawn phantoms with their lesion boxes -> the tiny grounder and its held-out figures."""
