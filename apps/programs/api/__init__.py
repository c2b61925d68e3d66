"""/v1: programs and courses."""
