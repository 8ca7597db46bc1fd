"""What every saver is: its methods, their arguments checked, turned into operations."""
