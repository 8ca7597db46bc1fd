"""The stored format: key text, what tables look like, bounds, sizes and lives. A public format."""
