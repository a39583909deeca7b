"""The rules nobody has to remember, each a small function over text: what it finds is wrong.

`tests/test_architecture.py` holds the tree to them; `tests/test_guards.py` shows that each one
sees a bad sample.
"""
