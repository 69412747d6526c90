"""Who answers for an example: a run's model, a file of weights, a function, an ensemble."""
