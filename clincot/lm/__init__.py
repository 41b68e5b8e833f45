"""What engines and judges share: weights -> read prompts -> next-token logits -> texts, on any causal model."""
