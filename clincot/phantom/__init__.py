"""The embedded benchmark: a seed -> drawn chest radiographs with known findings, questions, and the tiny models that read them."""
