"""What can be seen of Jarvis, with the programs that look."""
