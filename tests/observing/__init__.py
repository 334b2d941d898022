"""What can be seen of Jarvis from outside."""
