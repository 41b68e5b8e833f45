"""Rows of preference pairs or gold answers, and a base -> a trained LoRA adapter."""
