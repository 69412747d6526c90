"""Hold tables as one type, and write them as CSV, Markdown, LaTeX and HTML."""
