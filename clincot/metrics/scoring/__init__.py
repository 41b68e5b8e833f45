"""Predictions and golds -> scores: the plain functions behind the metrics and the protocols."""
