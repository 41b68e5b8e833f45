"""A phantom -> its questions, answers and report, and the tokenizer of all its texts."""
