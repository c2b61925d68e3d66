"""Runs the whole of Assay on one machine: `make demo` and the commands around it."""
