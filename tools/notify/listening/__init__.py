"""What others send: ntfy topics, Gotify, Alertmanager; kept, gathered, and said once."""
