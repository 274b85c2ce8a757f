"""The history of the tables: one file a step, never edited once released."""
