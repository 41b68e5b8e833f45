"""The requests of the protocol that is served -> handlers and what they answer; table.py names them all."""
