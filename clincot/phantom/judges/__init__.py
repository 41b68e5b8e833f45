"""Statements about phantoms with the digit each should get -> the two tiny judges and their held-out figures."""
