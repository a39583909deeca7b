"""`python -m devtools.chaos NAME FOLDER …`: one part of the storm, inside Afterglow's settings."""

import sys
from importlib import import_module

import django

if __name__ == "__main__":
    django.setup()  # before anything imports a model
    import_module(f"devtools.chaos.{sys.argv[1]}").main(sys.argv[2:])
