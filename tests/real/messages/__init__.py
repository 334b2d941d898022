"""Messages from real programs."""
