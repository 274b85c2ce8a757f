"""Use cases, one verb a file: the only room that joins science with the store, and the only reader of the environment."""
