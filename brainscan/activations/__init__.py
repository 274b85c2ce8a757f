"""Reading activations from many texts: captures, shuffled streams, shards on disk, a corpus.

This room refuses to know dictionaries, probes and instruments.
"""
