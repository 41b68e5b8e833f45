"""Drawn images of version 2 with the boxes of all their objects -> its grounders and their held-out figures."""
