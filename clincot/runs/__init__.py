"""A run: its folder and store, its rounds from data to adapter to results, and what it releases."""
