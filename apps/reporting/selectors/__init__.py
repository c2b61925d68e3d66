"""Reads of reporting, each in a fixed number of statements."""
