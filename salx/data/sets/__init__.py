"""The data sets of the package, a file each with a `load(**options) -> Dataset`."""
