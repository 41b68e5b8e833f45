"""Drawn phantoms with questions and regions -> the tiny LLaVA and its held-out figures."""
