"""Requests in matching as columns, kept in the database between runs (MATCHING 5)."""
