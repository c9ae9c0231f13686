"""The matcher: plain Python over frozen tables, explained in docs/matching.md (MATCHING §1-§3)."""
