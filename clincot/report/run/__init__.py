"""What a run stored -> its figures, one page of them, and the commands for what is missing."""
