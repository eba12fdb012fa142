"""What the world says on the wire, and the ledger of what was really said."""
