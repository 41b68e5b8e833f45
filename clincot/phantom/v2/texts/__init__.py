"""What an image of version 2 holds -> statements with six levels of truth, balanced questions, a careless reader."""
