"""The commands, a module each: its options, what it does and what it prints."""
