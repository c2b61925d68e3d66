"""/v1/search."""
