"""Own data, or a benchmark -> what they hold and what is wrong with them, before anything runs."""
