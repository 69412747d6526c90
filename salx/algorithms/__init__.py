"""Algorithms of choice: arrays in, positions out, without a word of policies or pools."""
