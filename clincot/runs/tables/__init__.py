"""Recipes, starts and seeds -> the rows of the paper's tables: planned, run, kept as small JSON files, summed up."""
