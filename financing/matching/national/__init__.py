"""The matcher at national scale: columns in, proposals, prices and a certificate out.

Explained in docs/matching-engine.md. Imported by workers and benchmarks only: it needs Numba.
"""
