"""Examples and their candidates -> preference pairs, without any model."""
