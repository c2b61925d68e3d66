"""Forms of the back office, by noun."""
