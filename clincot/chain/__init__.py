"""What a policy or judge is shown: hypotheses, prompts and the path from looking to answering."""
