"""Read a study's work folder into plain typed values that nobody changes."""
