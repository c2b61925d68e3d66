"""Reads of search: what there is to find, and what somebody finds."""
