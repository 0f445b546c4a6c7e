"""Microsoft 365 and Outlook.com."""
