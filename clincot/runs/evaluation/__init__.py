"""A run's adapters and answers made elsewhere -> results and how they compare."""
