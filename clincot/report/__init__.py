"""Pages for people: self-contained HTML, made of what the stages return."""
