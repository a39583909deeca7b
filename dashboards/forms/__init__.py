"""Forms check what was typed; verbs write it."""
