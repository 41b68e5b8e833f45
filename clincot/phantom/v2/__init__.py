"""The second world of phantoms: a seed and an index -> nodules among look-alikes, and what is known about each."""
