"""A large model, or a script, writes rationales; a ledger keeps every answer."""
