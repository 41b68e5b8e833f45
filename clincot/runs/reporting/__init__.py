"""A run's folder -> the report on it: what is stored, which figures it gives, and the files."""
