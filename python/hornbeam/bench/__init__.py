"""Microbenchmarks of ops through the real engine, against this machine's measured peaks."""
