"""The measurements behind `recfactory bench` that need the library alone, and the files that keep results."""
