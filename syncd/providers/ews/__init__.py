"""on-premises Exchange."""
