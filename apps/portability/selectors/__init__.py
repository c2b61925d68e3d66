"""Reads of portability: rows as the plain values of a package."""
