"""Studies: from a config to a grid of runs, which are done, resumed, shared out and recorded."""
