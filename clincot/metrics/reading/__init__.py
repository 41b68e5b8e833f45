"""A text in any script -> its words, its final answer, its yes or no, and the normal forms of published rules."""
