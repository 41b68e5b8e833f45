"""Preference rows of other projects -> the rows of a round, and a round's rows -> those of other projects."""
