"""The embedded benchmark: a seed -> drawn chest radiographs, questions about them, and tiny models that read them."""
