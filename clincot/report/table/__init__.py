"""The lines of one of the paper's tables -> Markdown, CSV, LaTeX, HTML and what a terminal shows."""
