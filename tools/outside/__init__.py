"""Tools of outside MCP servers, in our own call path: docs/adr/0022-outside-tools-in-the-call-path.md."""
