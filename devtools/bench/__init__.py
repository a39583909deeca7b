"""`./dev bench`: what the engine can do, beside a pair that is run in turn with it."""
