"""A recipe whose roles name servers -> what each server was found to do for its role, and what to change."""
