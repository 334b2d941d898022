"""The daily summary: what the checks find, in at most five sentences (``docs/digest.md``)."""
