"""Checkpoints stored as differences from earlier states: `compression="incremental"`."""
