"""Drawn images of version 2 -> a critic that sees image and crop and rates statements about them, and its figures."""
