"""Training: the jitted step, the loop that survives interruptions, and the evaluation."""
