"""The README of a repo -> its metadata, and what a Hub would say against it."""
