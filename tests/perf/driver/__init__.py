"""What run.py measures with, and what it measures."""
