"""A radiology report -> the 14 CheXpert labels that it states, denies or doubts, by rules and without weights."""
