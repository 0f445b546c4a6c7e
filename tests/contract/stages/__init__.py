"""Every provider's stage."""
