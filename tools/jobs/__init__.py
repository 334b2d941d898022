"""What takes longer than an answer: kept in a ledger, done by a process of its own, told when it is over."""
