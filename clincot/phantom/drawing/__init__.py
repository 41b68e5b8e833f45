"""A random generator -> one phantom radiograph with the findings drawn into it, and where they lie."""
