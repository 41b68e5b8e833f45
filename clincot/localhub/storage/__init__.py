"""A folder on disk -> bare git repositories, large files and facts beside them: written to stay, all or nothing."""
