"""Instances and peers of the matching benchmarks."""
