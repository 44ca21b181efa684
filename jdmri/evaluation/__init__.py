"""The numbers of one run: scores, summary, card and page."""
