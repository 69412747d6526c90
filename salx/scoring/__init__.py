"""Scoring: a pass of a surrogate over a pool, the choice from its rows, and a record's header."""
