"""A run -> a page on which people ask questions about their images, here or as a Space."""
