"""Pages that people look at: self-contained HTML, made of what the stages return."""
