"""Tables as text, CSV and LaTeX."""
