"""A folder on disk -> bare git repositories, large files and facts: written to stay, all or nothing."""
