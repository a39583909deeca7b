"""What stands behind `./dev`: servers for demo and tests, checks, the sweep. Never deployed."""
