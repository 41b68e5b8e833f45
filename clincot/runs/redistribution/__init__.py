"""What a licence lets a release pass on: redacted rows, and how they are restored."""
