"""Real companies, patents and loan products through the whole job, for measurement only.

`manage.py real_input` writes everything in a transaction that is rolled back: real firms are never
left in a database. What the sources do not say is assumed by the seeded rules of `assumptions`,
documented in docs/real-input.md and named in the output.
"""
