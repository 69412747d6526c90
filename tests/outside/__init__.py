"""Policies, tasks and data sets as users of the package write them: nothing of salx knows these."""
