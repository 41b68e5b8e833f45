<<<<<<< HEAD
"""Untrained and pre-trained parts of version 2 -> whether its world can show what regions are worth, as gates."""
=======
"""Drawn images and models of version 2 -> whether this world can show what regions are worth, as measured gates."""
>>>>>>> 58cb7b0 (A grounder of version 2, trained on the places of all objects, and its gates)
