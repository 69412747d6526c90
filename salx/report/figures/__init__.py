"""Draw the figures of a report with matplotlib."""
