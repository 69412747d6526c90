"""Data sets: sources of examples, file formats, transforms, batches."""
