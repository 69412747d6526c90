"""Surrogates answer for examples: a run's model, a file of weights, a function, an ensemble."""
