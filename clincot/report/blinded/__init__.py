"""Two answers to each question in hidden order -> a sheet for readers, and what their choices add up to."""
