"""Put the sections together: one page, and all files beside it."""
