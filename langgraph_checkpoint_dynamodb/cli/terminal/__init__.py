"""Terminal output and input: results on standard output, progress and prompts on standard error."""
