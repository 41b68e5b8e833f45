"""A policy's image tower and drawn images -> a full CLIP with that tower, whose texts match what an image shows."""
