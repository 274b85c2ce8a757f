"""One condition a file: what is looked for, its question and its criteria, as data."""
