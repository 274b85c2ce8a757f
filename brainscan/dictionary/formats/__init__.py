"""Foreign and own files of dictionaries: one format a file, one door (``format.read_dictionary``).

This room refuses to unpickle, to trust a shape and to guess: what a file does not say is asked for.
"""
