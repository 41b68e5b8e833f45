"""Drawn images of version 2 and what reports tell of them -> a tiny LLaVA that looks, looks again and answers."""
