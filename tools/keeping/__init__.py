"""What looks after the state folder itself: copies of the databases, going back to one, and dropping what is old."""
