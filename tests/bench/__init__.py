"""Ratios against peers in one run, never a time on its own."""
