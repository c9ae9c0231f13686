"""Invented data that shows the portal at work; `manage.py seed_demo` writes it, nothing else may.

No name is that of a real firm: every one carries the word 示范 (demonstration). Credit codes lie in
division 990000, patent serials begin with 9, check digits are right.
"""
