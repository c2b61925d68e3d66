"""Pure decisions: which messages are new, in which order they were said, what a call costs."""
