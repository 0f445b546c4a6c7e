"""What others published, and how we came by it."""
