"""What others send."""
