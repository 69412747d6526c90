"""Compute a report's numbers from what was loaded: pure functions, without any text or drawing."""
