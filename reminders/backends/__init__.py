"""Anymail's backends, where we need a word with a provider that Anymail has no word for."""
